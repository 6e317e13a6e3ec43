"""Help with mistyped names."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, available: Iterable[str], limit: int = 12) -> str:
    """Return a sentence with the names nearest to a wrong one, or else the first available ones."""
    known = list(available)
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return f"Available: {', '.join(known[:limit])}{more}."
