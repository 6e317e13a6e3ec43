"""Screens: they own the workers that ask the store, and hand records to the widgets."""
