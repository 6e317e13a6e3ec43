"""Verdicts of an auditor, in a small SQLite file of their own beside the store.

The store stays read-only. A verdict names what it is about by natural keys (the run's
`config_hash`, and an image's path, a class's label or what a finding is about), so that it outlives
a new indexing and a new audit, with whatever counts.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from db.errors import StoreError
from db.limited import LimitedConnection
from db.text import storable
from db.values import read_row

Mark = Literal["label wrong", "shortcut", "ambiguous", "fine", "note", "true", "noise", "fixed"]
Kind = Literal["image", "class", "finding"]
_OF_IMAGE: Final[tuple[Mark, ...]] = ("label wrong", "shortcut", "ambiguous", "fine", "note")
MARKS: Final[Mapping[Kind, tuple[Mark, ...]]] = {
    "image": _OF_IMAGE,
    "class": _OF_IMAGE,
    "finding": ("true", "noise", "fixed", "note"),
}

# "MCVD": tells these files from other SQLite files (PRAGMA application_id).
_APPLICATION_ID: Final = 0x4D435644
_ADDED: Final = ("right_label", "title")
"""The columns, all of text, that versions 2 and 3 have more than the one before."""
_VERSION: Final = 1 + len(_ADDED)
_TABLE: Final = """
CREATE TABLE verdict (
    run_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    mark TEXT NOT NULL,
    note TEXT NOT NULL,
    made REAL NOT NULL,
    right_label TEXT,
    title TEXT,
    PRIMARY KEY (run_hash, kind, name)
) WITHOUT ROWID, STRICT
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an auditor says of an image (`name` is its path), a class (its label) or a finding.

    A finding's is the `key` of its `FindingName`; older files have its `title` there.
    """

    run_hash: str
    kind: Kind
    name: str
    mark: Mark
    note: str
    made: datetime
    right_label: str | None = None
    """Of a wrong label, the class that is right: its label, "" where no class of the run is."""
    title: str | None = None
    """Of a finding, its `FindingName.title` when it was judged."""

    @property
    def shown(self) -> str:
        """What a person reads: the name, or of a finding its title."""
        return self.title or self.name


Verdicts: TypeAlias = dict[tuple[Kind, str], Verdict]
"""Those on a run, by what they are about: its kind and its name."""


class FindingName(NamedTuple):
    """What verdicts call a finding.

    By `key` (`LABEL: KIND: SUBJECT`) it is known again in an audit with other counts. By `title`
    (`LABEL: TITLE`) people read it; older files, and findings of older audits, have nothing else.
    """

    key: str
    title: str


def name_of_finding(label: str, kind: str, subject: str, title: str) -> FindingName:
    """Return what verdicts call a finding of the class called `label`."""
    titled = f"{label}: {title}"
    return FindingName(f"{label}: {kind}: {subject}" if subject else titled, titled)


def verdict_on_finding(verdicts: Verdicts, name: FindingName) -> Verdict | None:
    """Return the verdict on a finding, by its key or as an older file has it."""
    return verdicts.get(("finding", name.key)) or verdicts.get(("finding", name.title))


def beside(store: Path | str) -> Path:
    """Return where the verdicts on a store are kept: `NAME.verdicts.sqlite` beside it."""
    file = Path(store)
    return file.with_name(file.name + ".verdicts.sqlite")


def read_verdicts(path: Path, run_hash: str) -> Verdicts:
    """Return the verdicts on a run by kind and name; none if there is no file yet.

    StoreError if the file holds no verdicts or cannot be read.
    """
    # Beside a file whose name fills the limit none can lie.
    if not os.path.exists(path):  # noqa: PTH110 (a path that is too long is none, and no error)
        return {}
    with _opened(path, "ro") as connection:
        there = _version(connection) - 1
        added = [*_ADDED[:there], *("NULL" for _ in _ADDED[there:])]
        rows = connection.execute(
            f"SELECT run_hash, kind, name, mark, note, made, {', '.join(added)} FROM verdict "
            "WHERE run_hash = ?",
            (run_hash,),
        ).fetchall()
    names = [field.name for field in fields(Verdict)]
    verdicts = [read_row(Verdict, dict(zip(names, row, strict=True))) for row in rows]
    return {(verdict.kind, verdict.name): verdict for verdict in verdicts}


def write_verdicts(path: Path, *verdicts: Verdict) -> None:
    """Store verdicts in place of those on the same things; creates the file if needed.

    That of an older file on the same finding goes.

    StoreError if the file is not one of verdicts or cannot be written.
    """
    with _opened(path, "rwc") as connection:
        connection.executemany(
            "DELETE FROM verdict WHERE run_hash = ? AND kind = ? AND name = ?",
            [
                (verdict.run_hash, verdict.kind, storable(verdict.title))
                for verdict in verdicts
                if verdict.title is not None
            ],
        )
        connection.executemany(
            "INSERT INTO verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET mark = excluded.mark, note = excluded.note, "
            "made = excluded.made, right_label = excluded.right_label, title = excluded.title",
            [
                (
                    verdict.run_hash,
                    verdict.kind,
                    storable(verdict.name),
                    verdict.mark,
                    storable(verdict.note),
                    verdict.made.timestamp(),
                    *(
                        None if text is None else storable(text)
                        for text in (verdict.right_label, verdict.title)
                    ),
                )
                for verdict in verdicts
            ],
        )


def remove_verdicts(path: Path, run_hash: str, kind: Kind, *names: str) -> None:
    """Take verdicts back; nothing happens where there is none."""
    if path.exists():
        with _opened(path, "rw") as connection:
            connection.executemany(
                "DELETE FROM verdict WHERE run_hash = ? AND kind = ? AND name = ?",
                [(run_hash, kind, storable(name)) for name in names],
            )


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction, making its table if it is new."""
    connection = None
    try:
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is not a file: give another one with --verdicts")
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, factory=LimitedConnection
        )
        if mode == "ro":
            connection.limit(path.stat().st_size)
        with connection:
            _check(connection, path, new=mode == "rwc")
            if mode != "ro" and (version := _version(connection)) < _VERSION:
                for column in _ADDED[version - 1 :]:
                    connection.execute(f"ALTER TABLE verdict ADD COLUMN {column} TEXT")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            yield connection
    # SQLite quotes the file in its errors, and what it quotes may be no text.
    except (sqlite3.Error, UnicodeError) as error:
        raise StoreError(
            f"the verdicts in {path} cannot be used ({error}): give another file with --verdicts"
        ) from error
    finally:
        if connection is not None:
            connection.close()


def _check(connection: sqlite3.Connection, path: Path, *, new: bool) -> None:
    connection.execute("BEGIN IMMEDIATE" if new else "BEGIN")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    objects = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if new and (application, version, objects) == (0, 0, 0):
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    elif application != _APPLICATION_ID or not 1 <= version <= _VERSION:
        raise StoreError(
            f"{path} is not a file of verdicts of this MapCap: give another one with --verdicts"
        )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
