"""Opening and closing the store's file.

A connection is made for one of two uses: `open_write` for the job that fills the file, and
`open_read` for everybody else, also while the job runs. Whatever SQLite says of an unusable file
comes out as one StoreError, at opening and later, so that no caller has to know its codes.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, text

from db.errors import StoreError
from db.schema import SCHEMA_VERSION

# "MCAP": tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID: Final = 0x4D434150
# The first SQLite with RETURNING; reading gets by with an older one.
_NEEDED: Final = (3, 35)
_WRITE_TIMEOUT: Final = 30.0
_READ_TIMEOUT: Final = 5.0
# Rows with pictures and embeddings take 1 to 4 KB: larger pages waste less of their ends.
_PAGE_SIZE: Final = 8192
_CACHE_KIB: Final = 65536

_FIXES: Final = {
    sqlite3.SQLITE_NOTADB: "is not a MapCap file: check the name, or choose another one",
    sqlite3.SQLITE_CORRUPT: "is truncated or damaged: copy it again, or run `mapcap index` again "
    "into a new file",
    sqlite3.SQLITE_BUSY: "is locked by another program: close it, or try again when it is done",
    sqlite3.SQLITE_LOCKED: "is locked by another program: close it, or try again when it is done",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that it may be read; if a job was killed, "
    "keep the files NAME-wal and NAME-shm beside it, in a folder that may be written",
    sqlite3.SQLITE_PERM: "cannot be opened: check its permissions",
    sqlite3.SQLITE_READONLY: "cannot be written: check the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "cannot be read from or written to its disk: check the disk",
    sqlite3.SQLITE_FULL: "has no room left on its disk: make room and run the command again",
}


def open_write(path: Path | str) -> Engine:
    """Open the file for writing: create it, or bring an older one up to date.

    Sets WAL, so that readers may come and go while the job writes. StoreError if the file is
    newer than this MapCap, not ours, damaged, locked, or cannot be created.
    """
    file = Path(path)
    if sqlite3.sqlite_version_info < _NEEDED:
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version}, and indexing needs "
            f"{'.'.join(map(str, _NEEDED))}: use a newer Python"
        )
    if not file.parent.is_dir():
        raise StoreError(f"{file}: the folder {file.parent} does not exist: create it first")
    if file.is_dir():
        raise StoreError(f"{file} is a folder: give the name of a file in it")
    version = _version(file) if file.exists() else 0
    if version > SCHEMA_VERSION:
        raise StoreError(_newer(file, version))
    engine = _engine(file, "rwc", _WRITE_TIMEOUT, _prepare_writer)
    if version < SCHEMA_VERSION:
        _upgrade(engine)
    return engine


def open_read(path: Path | str) -> Engine:
    """Open the file read-only, also while a job writes it.

    StoreError, which says what to do, if it is missing, empty, older or newer than this MapCap,
    not ours, damaged or locked.
    """
    file = Path(path)
    if not file.exists():
        raise StoreError(f"{file} does not exist: check the name, or run `mapcap index` first")
    if not file.is_file():
        raise StoreError(f"{file} is not a file: give the name of a MapCap file")
    version = _version(file)
    if version == 0:
        raise StoreError(f"{file} is empty: run `mapcap index` to fill it")
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{file} was written by an older MapCap (format {version}, this one reads "
            f"{SCHEMA_VERSION}): run `mapcap upgrade {file}` where it may be written, which "
            "brings it up to date"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(_newer(file, version))
    return _engine(file, "ro", _READ_TIMEOUT, _prepare_reader)


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
            raise _explained(Path(engine.url.database or ""), error) or error from error
        return False
    finally:
        connection.close()
        engine.dispose()
    return bool(mode == "delete")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that takes the write lock at its start and is committed at the end.

    Taken late, the lock can be refused to a transaction that has already read.
    """
    with engine.execution_options(immediate=True).begin() as connection:
        yield connection


def _engine(
    file: Path, mode: str, timeout: float, prepare: Callable[[sqlite3.Connection], None]
) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = _connect(file, mode, timeout)
        prepare(connection)
        return connection

    engine = create_engine(URL.create("sqlite+pysqlite", database=str(file)), creator=connect)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> Exception | None:
        error = context.original_exception
        return _explained(file, error) if isinstance(error, sqlite3.Error) else None

    return engine


def _connect(file: Path, mode: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = _lenient
    return connection


def _lenient(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _prepare_writer(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
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
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _version(file: Path) -> int:
    """Return the schema version of a file, 0 for an empty one; StoreError for one not ours."""
    connection = None
    try:
        connection = _connect(file, "ro", _READ_TIMEOUT)
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        objects = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.Error as error:
        raise _explained(file, error) or error from error
    finally:
        if connection is not None:
            connection.close()
    if application == APPLICATION_ID:
        return int(version)
    if application == 0 and version == 0 and objects == 0:
        return 0
    raise StoreError(f"{file} is not a MapCap file: check the name, or choose another one")


def _explained(file: Path, error: sqlite3.Error) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _FIXES:
        return StoreError(f"{file} {_FIXES[code & 0xFF]}")
    if "no such table" in str(error) or "no such column" in str(error):
        return StoreError(f"{file} lacks parts of a MapCap file: run `mapcap index` into a new one")
    return None


def _newer(file: Path, version: int) -> str:
    return (
        f"{file} was written by a newer MapCap (format {version}, this one knows "
        f"{SCHEMA_VERSION}): install the newer MapCap"
    )


def _upgrade(engine: Engine) -> None:
    """Run the Alembic steps that are missing, all in one transaction."""
    # Alembic is slow to import, and only a new or an old file needs it.
    from db.migrations import upgrade

    with writing(engine) as connection:
        upgrade(connection)
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
        connection.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
