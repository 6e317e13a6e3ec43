"""The file NAME-wal beside a store: what a job has written and not yet brought into the store.

The store says in its header whether it may have one. SQLite does not look: it takes what lies there
for the newer state, also where an old copy of it lies beside a finished file.
"""

from pathlib import Path
from typing import Final

from db.errors import StoreError

_JOURNAL: Final = slice(18, 20)
"""Where a header says how the file is written: twice 1, or twice 2 with a WAL."""
_WITH_WAL: Final = b"\x02\x02"
_HEADER: Final = b"SQLite format 3\0"


def wal_of(file: Path) -> Path:
    """Return where the WAL of a store lies."""
    return file.with_name(f"{file.name}-wal")


def check_wal(file: Path) -> None:
    """Raise StoreError where a WAL lies beside a file that was finished without one."""
    wal = wal_of(file)
    header = _header(file)
    if header.startswith(_HEADER) and header[_JOURNAL] != _WITH_WAL and _size(wal):
        # A job may have begun between the two looks.
        if _header(file)[_JOURNAL] == _WITH_WAL or not _size(wal):
            return
        raise StoreError(
            f"{wal} lies beside a finished file and is not its own: an older state would be shown. "
            f"Move {wal.name} and {file.name}-shm away"
        )


def is_half(file: Path) -> bool:
    """Tell whether a file was left by a job that had written to a WAL, which is gone."""
    return _header(file)[_JOURNAL] == _WITH_WAL and not _size(wal_of(file))


def _header(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(100)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
