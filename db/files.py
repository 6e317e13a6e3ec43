"""The store as a file: whether it is ours, whole and of our version, told by sqlite3 alone.

Apart from `db.engine`, so that the browser can look at a file, and paint, before SQLAlchemy is
loaded. Whatever SQLite says of an unusable file comes out as one StoreError, so that no caller has
to know its codes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from db.errors import Interrupted, StoreError
from db.limited import LimitedConnection
from db.migrations.steps import STEPS
from db.shape import check_shape
from db.wal import check_wal, is_half

# The format of the files that this MapCap writes (PRAGMA user_version).
SCHEMA_VERSION: Final = len(STEPS)
# "MCAP": tells our files from other SQLite files (PRAGMA application_id).
APPLICATION_ID: Final = 0x4D434150
READ_TIMEOUT: Final = 5.0

_FIXES: Final = {
    sqlite3.SQLITE_NOTADB: "is not a MapCap file: check the name, or choose another one",
    sqlite3.SQLITE_CORRUPT: "is truncated or damaged: copy it again, or run `mapcap index` again "
    "into a new file",
    sqlite3.SQLITE_BUSY: "is locked by another program: close it, or try again when it is "
    "done; on a network share without file locks, copy it to a local disk",
    sqlite3.SQLITE_LOCKED: "is locked by another program: close it, or try again when it is done",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that it may be read; if a job was killed, "
    "keep the files NAME-wal and NAME-shm beside it, in a folder that may be written",
    sqlite3.SQLITE_PERM: "cannot be opened: check its permissions",
    sqlite3.SQLITE_READONLY: "cannot be written: check the permissions of the file and its folder",
    sqlite3.SQLITE_IOERR: "cannot be read from or written to its disk: check the disk",
    sqlite3.SQLITE_TOOBIG: "holds a value larger than any that MapCap stores: it is damaged, or "
    "not as MapCap made it",
    sqlite3.SQLITE_NOMEM: "needs more memory than there is: it may be damaged; copy it again",
    sqlite3.SQLITE_PROTOCOL: "cannot be locked on its disk, as on some network shares: copy it to "
    "a local one",
    sqlite3.SQLITE_FULL: "has no room left on its disk: make room and run the command again",
}


def check(file: Path) -> None:
    """Raise StoreError, which says what to do, unless the file can be read.

    It may be missing, empty, older or newer than this MapCap, not ours, damaged or locked.
    """
    if not file.exists():
        raise StoreError(f"{file} does not exist: check the name, or run `mapcap index` first")
    if not file.is_file():
        raise StoreError(f"{file} is not a file: give the name of a MapCap file")
    version = schema_version(file)
    if version == 0:
        raise StoreError(empty(file))
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{file} was written by an older MapCap (format {version}, this one reads "
            f"{SCHEMA_VERSION}): run `mapcap upgrade {file}` where it may be written, which "
            "brings it up to date"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(newer(file, version))


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Check a file and read from it by sqlite3 alone; StoreError for whatever SQLite says of it."""
    check(file)
    connection = connect(file, "ro", READ_TIMEOUT)
    with closing(connection), explaining(file, connection):
        yield connection


def connect(file: Path, mode: str, timeout: float) -> LimitedConnection:
    """Connect without looking at the file; `mode` is ro or rwc. A reader's work is limited."""
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        factory=LimitedConnection,
    )
    if mode == "ro":
        connection.limit(file.stat().st_size)
    return connection


def schema_version(file: Path) -> int:
    """Return the schema version of a file, 0 for an empty one.

    StoreError for one that is not ours, is not as MapCap made it, or lacks its -wal.
    """
    with explaining(file):
        check_wal(file)
        with closing(connect(file, "ro", READ_TIMEOUT)) as connection, explaining(file, connection):
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            objects = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if application == APPLICATION_ID:
                check_shape(file, connection)
                return int(version)
    if application == 0 and version == 0 and objects == 0:
        return 0
    raise StoreError(f"{file} is not a MapCap file: check the name, or choose another one")


@contextmanager
def explaining(file: Path, connection: LimitedConnection | None = None) -> Iterator[None]:
    """Let what SQLite and the system say of a file come out as StoreError."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeError) as error:
        raise explained(file, error, connection) or error from error


def explained(
    file: Path, error: BaseException, connection: sqlite3.Connection | None = None
) -> StoreError | Interrupted | None:
    """Return what an error of SQLite means to a person, None if it is a mistake of ours."""
    if isinstance(error, UnicodeError):
        return StoreError(f"{file} {_FIXES[sqlite3.SQLITE_CORRUPT]}")
    if isinstance(error, OSError):
        return StoreError(f"{file} cannot be read: {error.strerror or error}")
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_INTERRUPT:
        if isinstance(connection, LimitedConnection) and connection.exhausted:
            return StoreError(
                f"{file} takes without end to read: it is damaged, or not as MapCap made it"
            )
        return Interrupted("a newer question was asked")
    if code is not None and code & 0xFF in _FIXES:
        return StoreError(f"{file} {_FIXES[code & 0xFF]}")
    if isinstance(error, sqlite3.OperationalError):
        if "no such table" in str(error) or "no such column" in str(error):
            return StoreError(
                f"{file} lacks parts of a MapCap file: run `mapcap index` into a new one"
            )
        if "syntax error" not in str(error):
            return StoreError(f"{file} cannot be read ({error}): it is damaged; copy it again")
    return None


def empty(file: Path) -> str:
    """Return what to say of a file without tables."""
    if is_half(file):
        return (
            f"{file} is the beginning of a run whose work lies in {file.name}-wal, which is not "
            "beside it: copy that file, too, or run `mapcap index` again"
        )
    return f"{file} is empty: run `mapcap index` to fill it"


def newer(file: Path, version: int) -> str:
    """Return what to say of a file of a later version."""
    return (
        f"{file} was written by a newer MapCap (format {version}, this one knows "
        f"{SCHEMA_VERSION}): install the newer MapCap"
    )
