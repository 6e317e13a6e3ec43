"""Opening and closing the store's file.

A connection is made for one of two uses: `open_write` for the job that fills the file, and
`open_read` for everybody else, also while the job runs. What `db.files` makes of SQLite's errors
comes out of both, at opening and later.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from db.errors import StoreError
from db.files import (
    APPLICATION_ID,
    READ_TIMEOUT,
    SCHEMA_VERSION,
    check,
    connect,
    explained,
    explaining,
    newer,
    schema_version,
)
from db.interrupts import current
from db.limited import LimitedConnection
from db.migrations import upgrade

# The first SQLite with RETURNING; reading gets by with an older one.
_NEEDED: Final = (3, 35)
_WRITE_TIMEOUT: Final = 30.0
# Rows with pictures and embeddings take 1 to 4 KB: larger pages waste less of their ends.
_PAGE_SIZE: Final = 8192
_CACHE_KIB: Final = 65536
_READER_CACHE_KIB: Final = 8192
"""A reader of millions of embeddings sees each page once; the browser has several connections."""
_NO_WAL: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CANTOPEN)
_INTERRUPT: Final = "interrupt"


def open_write(path: Path | str) -> Engine:
    """Open the file for writing: create it, or bring an older one up to date.

    Sets WAL, so that readers may come and go while the job writes. StoreError if the file is
    newer than this MapCap, not ours, damaged, locked, or cannot be created.
    """
    file = Path(path)
    version = check_place(file)
    with explaining(file):
        wal = _has_wal(file)
    engine = _engine(file, "rwc", _WRITE_TIMEOUT, partial(_prepare_writer, wal=wal))
    if version < SCHEMA_VERSION:
        _upgrade(engine)
    return engine


def check_place(file: Path) -> int:
    """Return the version of the file that is to be written, 0 for a new one; nothing is written.

    StoreError if it is newer than this MapCap, not ours or damaged, or cannot be where it is to be.
    """
    if sqlite3.sqlite_version_info < _NEEDED:
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version}, and indexing needs "
            f"{'.'.join(map(str, _NEEDED))}: use a newer Python"
        )
    if not file.parent.is_dir():
        raise StoreError(f"{file}: the folder {file.parent} does not exist: create it first")
    if file.is_dir():
        raise StoreError(f"{file} is a folder: give the name of a file in it")
    if file.exists() and not file.is_file():  # a pipe would be waited for without end
        raise StoreError(f"{file} is no regular file: give the name of one")
    try:
        file.with_name(f"{file.name}-journal").exists()
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written ({error.strerror}): SQLite lays {file.name}-journal beside "
            "it while it is written: give it a shorter name"
        ) from error
    there = file.exists()
    if not os.access(file if there else file.parent, os.W_OK):
        raise StoreError(
            f"{file} cannot be written: check the permissions of the file and its folder"
        )
    version = schema_version(file) if there else 0
    if version > SCHEMA_VERSION:
        raise StoreError(newer(file, version))
    return version


def open_read(path: Path | str) -> Engine:
    """Open the file read-only, also while a job writes it.

    StoreError, which says what to do, if it is missing, empty, older or newer than this MapCap,
    not ours, damaged or locked.
    """
    file = Path(path)
    check(file)
    return _engine(file, "ro", READ_TIMEOUT, _prepare_reader)


def finish(engine: Engine) -> bool:
    """Leave one plain file that may travel: empty the WAL into it and leave WAL mode.

    False if a reader still holds the file: the data is safe, but stays in WAL mode. Disposes of
    the engine.
    """
    engine.dispose()
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        # A reader may stay for hours: do not wait for it.
        cursor.execute("PRAGMA busy_timeout = 1000")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        mode = cursor.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise explained(Path(engine.url.database or ""), error) or error from error
        return False
    finally:
        connection.close()
        engine.dispose()
    return bool(mode == "delete")


@contextmanager
def writing(store: Engine | Connection) -> Iterator[Connection]:
    """One transaction that takes the write lock at its start and is committed at the end.

    Taken late, the lock can be refused to a transaction that has already read. The connection of
    such a transaction may be given in place of the engine: what is written is then part of it.
    """
    if isinstance(store, Connection):
        yield store
        return
    with store.execution_options(immediate=True).begin() as connection:
        yield connection


def _engine(
    file: Path, mode: str, timeout: float, prepare: Callable[[sqlite3.Connection], None]
) -> Engine:
    known: list[tuple[int, int]] = []

    def opened() -> sqlite3.Connection:
        with explaining(file):
            connection = connect(file, mode, timeout)
            prepare(connection)
            known[:] = known or [_place(file)]
        return connection

    engine = create_engine(URL.create("sqlite+pysqlite", database=str(file)), creator=opened)
    _let_stop(engine)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        if immediate:
            _check_place(file, known)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> Exception | None:
        error = context.original_exception
        if not isinstance(error, sqlite3.Error | UnicodeError):
            return None
        used = None if context.connection is None else context.connection.connection
        return explained(file, error, used and used.dbapi_connection)  # type: ignore[arg-type]

    return engine


def _place(file: Path) -> tuple[int, int]:
    """Return what tells a file from another of its name."""
    stat = file.stat()
    return stat.st_dev, stat.st_ino


def _check_place(file: Path, known: list[tuple[int, int]]) -> None:
    """Raise StoreError where a file was moved, removed or replaced since it was opened.

    What is written to it then would be lost, and SQLite would not say so.
    """
    try:
        there = [_place(file)]
    except OSError:
        there = []
    if there != known:
        raise StoreError(
            f"{file} was moved, removed or replaced while it was written: put it back, with its "
            "-wal, and run the same command again, which goes on from the last batch"
        )


def _let_stop(engine: Engine) -> None:
    """Let an engine's connections be stopped by the `Interrupt` they are used under."""

    @event.listens_for(engine, "checkout")
    def taken(connection: sqlite3.Connection, record: ConnectionPoolEntry, _: object) -> None:
        interrupt = current()
        if interrupt is not None:
            record.info[_INTERRUPT] = interrupt
            interrupt.add(connection)

    @event.listens_for(engine, "checkin")
    def given_back(connection: sqlite3.Connection | None, record: ConnectionPoolEntry) -> None:
        interrupt = record.info.pop(_INTERRUPT, None)
        if interrupt is not None and connection is not None:
            interrupt.remove(connection)

    @event.listens_for(engine, "before_cursor_execute")
    def begins(connection: Connection, *_: object) -> None:
        limited = connection.connection.dbapi_connection
        if isinstance(limited, LimitedConnection):
            limited.renew()
        interrupt = current()
        if interrupt is not None:
            interrupt.check()


def _has_wal(file: Path) -> bool:
    """Set WAL mode; False where the disk has no shared memory for it, as network shares have none.

    Readers then wait while a batch is written.
    """
    try:
        with closing(connect(file, "rwc", _WRITE_TIMEOUT)) as connection:
            _prepare_writer(connection, wal=True)
            # The mode is set before it is tried.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _NO_WAL:
            raise
    else:
        return True
    with closing(connect(file, "rwc", _WRITE_TIMEOUT)) as connection:
        # Alone, a connection needs no shared memory for a WAL, and can leave the mode again.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
    return False


def _prepare_writer(connection: sqlite3.Connection, *, wal: bool) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    # With WAL, NORMAL keeps the file valid after any crash and saves a disk flush per batch.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    # A file from anybody may carry views: they get no dangerous functions. (A writer's own FTS5
    # triggers would be refused under this.)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")


def _upgrade(engine: Engine) -> None:
    """Run the steps that are missing, all in one transaction."""
    with writing(engine) as connection:
        upgrade(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
