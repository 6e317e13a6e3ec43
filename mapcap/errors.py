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
    known = list(available)
    wanted = name.casefold()
    folded = {text.casefold(): text for text in known}
    holding = [text for text in known if wanted and wanted in text.casefold()]
    alike = [folded[text] for text in get_close_matches(wanted, folded, n=_HINTS, cutoff=0.6)]
    found = list(dict.fromkeys([*alike, *holding]))[:_HINTS]
    return f"Did you mean {' or '.join(found)}?" if found else ""


def closest(name: str, available: Iterable[str], limit: int = 12) -> str:
    """Return a sentence with the names nearest to a wrong one, or else the first available ones."""
    known = list(available)
    near = nearest(name, known)
    if near:
        return near
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return f"Available: {', '.join(known[:limit])}{more}."
