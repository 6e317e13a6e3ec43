"""Bounds of what a person may give, light enough for every command."""

from typing import Final

MOST: Final = 2**31 - 1
"""The largest number that an option takes: what counts more than there is, is a slip."""
