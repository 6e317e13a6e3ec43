"""Connections whose reads are limited: a file from anybody may ask for endless work and memory."""

import sqlite3
from typing import Final

from db.errors import StoreError

# Instructions of SQLite's virtual machine; these take seconds, a page of the browser some thousand.
_INSTRUCTIONS: Final = 200_000_000
# To read a file through takes a few for each byte: large files may take as long as they need.
_PER_BYTE: Final = 30
_EACH: Final = 1_000_000
"""Instructions between two looks at what is left."""
_LARGEST_VALUE: Final = 256 << 20
"""Bytes; the largest that is stored is the matrix of a class."""
_LARGEST_TEXT: Final = 8 << 20
"""Bytes; a text is copied some times until it is shown."""


class LimitedConnection(sqlite3.Connection):
    """A connection that can be given a limit; one that writes has none."""

    _allowed = _left = 0
    exhausted = False
    """Whether the last statement was ended by its limit."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.text_factory = _text

    def limit(self, size: int) -> None:
        """Limit each statement on a file of so many bytes, and the size of every value."""
        self._allowed = (_INSTRUCTIONS + _PER_BYTE * size) // _EACH
        self.renew()
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
        self.set_progress_handler(self._spend, _EACH)

    def renew(self) -> None:
        """Begin to count anew: another statement begins."""
        self._left, self.exhausted = self._allowed, False

    def _spend(self) -> bool:
        self._left -= 1
        self.exhausted = self._left < 0
        return self.exhausted


def _text(stored: bytes) -> str:
    if len(stored) > _LARGEST_TEXT:
        raise StoreError("a stored text is longer than any of MapCap's: the file is damaged")
    return stored.decode("utf-8", "replace")
