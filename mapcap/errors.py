"""Errors that a user can cause and mend, and help with mistyped names."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_HINTS: Final = 3


class UserError(Exception):
    """A mistake in the input: the message names the file or option and says what to do next.

    The command line prints the message without a traceback and exits with code 2.
    """


def nearest(name: str, available: Iterable[str]) -> str:
    """Return a question with the names that hold a wrong one or resemble it, or else nothing."""
    names = list(available)
    wanted = name.casefold()
    folded = {text.casefold(): text for text in names}
    holding = [text for text in names if wanted and wanted in text.casefold()]
    alike = [folded[text] for text in get_close_matches(wanted, folded, n=_HINTS, cutoff=0.6)]
    suggestions = list(dict.fromkeys([*alike, *holding]))[:_HINTS]
    return f"Did you mean {' or '.join(suggestions)}?" if suggestions else ""


def closest(name: str, available: Iterable[str], limit: int = 12) -> str:
    """Return a sentence with the names nearest to a wrong one, or else the first available ones."""
    names = list(available)
    near = nearest(name, names)
    if near:
        return near
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"Available: {', '.join(names[:limit])}{more}."
