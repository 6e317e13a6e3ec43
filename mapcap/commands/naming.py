"""Which option an error is about: known by the path that was given with it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

_SHOWN = 200
"""Characters of a path that the system refuses; one that is too long for it is all that it says."""


def option_of(path: str, arguments: Sequence[str]) -> str | None:
    """Return the option that names a path; None where it is an argument, or nobody gave it.

    What comes before it, as in `clipcap:FILE` or `timm:NAME|FILE`, is no part of the path; a file
    beside it that is called after it is told by it.
    """
    place = Path(path)
    for option, value in _given(arguments):
        for text in (value, value.rpartition("|")[2], value.partition(":")[2]):
            given = Path(text).expanduser()
            # What lies beside it is asked for because of it.
            beside = place.parent in (given.parent, given.absolute().parent)
            if text and beside and place.name.startswith(given.stem):
                return option
    return None


def named(message: str, arguments: Sequence[str]) -> str:
    """Return a message that begins with a path after the option that names it, if one does."""
    for option, value in _given(arguments):
        if value and message.startswith((f"{Path(value)} ", f"{Path(value)}: ")):
            return f"{option} {message}"
    return message


def brief(path: str) -> str:
    """Return a path as far as a line has room for it."""
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}..."


def _given(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield options with what may be their values."""
    for place, argument in enumerate(arguments):
        option, equals, value = argument.partition("=")
        if option.startswith("-"):
            yield option, value if equals else "".join(arguments[place + 1 : place + 2])
