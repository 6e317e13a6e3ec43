"""The commands; a module registers its own when it is imported."""
