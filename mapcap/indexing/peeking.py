"""A look into the file to be filled, before anything is loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from db.engine import open_read
from db.errors import StoreError


@contextmanager
def peek(db: Path) -> Iterator[Engine | None]:
    """Open a file for reading; None where there is none, or only what opening it for writing knows.

    That is a file of an older format, and one that is none of ours. It is closed after the block:
    the one who writes must be alone to leave a plain file.
    """
    if not db.is_file() or not db.stat().st_size:
        yield None
        return
    try:
        engine = open_read(db)
    except StoreError:
        engine = None
    try:
        yield engine
    finally:
        if engine is not None:
            engine.dispose()
