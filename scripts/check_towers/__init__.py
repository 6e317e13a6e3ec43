"""Check how MapCap reads the vision towers of open_clip: each is built small, and measured."""
