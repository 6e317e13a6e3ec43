"""The terminal app that browses a store."""
