"""Widgets: they take records and post messages, and know nothing of the store."""
