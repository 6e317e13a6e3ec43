"""MapCap from Python: a stored run as records, tables and pictures; photos in hand explained."""
