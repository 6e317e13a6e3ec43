"""What is asked of a stored run: its standing, its classes, what changed."""
