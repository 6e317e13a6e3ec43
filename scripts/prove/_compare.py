"""Whether two stores hold the same, table by table; ids do not count, what they refer to does."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from db.codecs import decode_array

# What makes a row of a table known by its id, without the id; {} refers to another such table.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "run": ("config_hash",),
    "class_name": ("run_id", "label"),
    "image": ("run_id", "path"),
    "caption": ("run_id", "text"),
    "relevance": ("image_id", "role"),
    "region": ("image_id", "role", "rank"),
    "summary": ("class_id", "k", "redundancy"),
    "finding": ("class_id", "position"),
}
_OF_THE_SESSION: Mapping[str, tuple[str, ...]] = {
    "run": ("started", "finished", "versions", "notes"),
    "stage": ("seconds", "worked", "reading", "computing", "writing"),
}
# Blocks hold ids in the order in which they were given.
_LEFT_OUT = ("lease", "embedding_block")
_NEAR = 2e-3
"""Between float16 vectors of batches of different sizes."""

Rows = dict[str, dict[str, Any]]


def check_file(file: Path) -> list[str]:
    """Return what is wrong with a file: its pages, references, and the index of its words."""
    with closing(sqlite3.connect(file)) as connection:
        faults = [
            f"integrity: {line}"
            for (line,) in connection.execute("PRAGMA integrity_check(5)")
            if line != "ok"
        ]
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        faults += [f"foreign key: {row}" for row in dangling[:3]]
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'caption_fts'")
        try:
            if known.fetchone():
                connection.execute("INSERT INTO caption_fts(caption_fts) VALUES('integrity-check')")
        except sqlite3.DatabaseError as error:
            faults.append(f"index of the words: {error}")
        connection.rollback()
    return faults


def differences(file: Path, other: Path) -> list[str]:
    """Return how two stores differ, the first of each table."""
    mine, its = dict(_tables(file)), dict(_tables(other))
    found = [f"{name}: in one file only" for name in sorted(mine.keys() ^ its.keys())]
    for name in sorted(mine.keys() & its.keys()):
        found += _differences(name, mine[name], its[name])
    return found


def _differences(name: str, rows: Rows, others: Rows) -> list[str]:
    lone = sorted(rows.keys() ^ others.keys())
    if lone:
        return [f"{name}: {len(rows)} rows and {len(others)}, such as {lone[0][:120]}"]
    for key, row in rows.items():
        for column, value in row.items():
            if not _near(value, others[key][column]):
                return [f"{name}.{column} of {key[:80]}: {str(value)[:60]} and "
                        f"{str(others[key][column])[:60]}"]  # fmt: skip
    return []


def _near(value: Any, other: Any) -> bool:
    if isinstance(value, float) and isinstance(other, int | float):
        return bool(np.isclose(value, other, rtol=_NEAR, atol=_NEAR))
    if isinstance(value, np.ndarray) and isinstance(other, np.ndarray):
        return value.shape == other.shape and bool(np.allclose(value, other, _NEAR, _NEAR))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_near(value[k], other[k]) for k in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_near, value, other))
    return bool(value == other)


def _tables(file: Path) -> Iterator[tuple[str, Rows]]:
    """Yield the tables of a store by name, their rows by what they are about."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        names = dict[str, dict[int, str]]()
        for table, key in _KEYS.items():
            rows = connection.execute(f"SELECT id, * FROM {table}")
            names[table] = {row["id"]: _name(row, key, names) for row in rows}
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            if not table.startswith(("caption_fts", "sqlite_")) and table not in _LEFT_OUT:
                yield table, _rows(connection, table, names)


def _name(row: sqlite3.Row, key: tuple[str, ...], names: Mapping[str, Mapping[int, str]]) -> str:
    return " / ".join(str(_referred(column, row[column], names)) for column in key)


def _referred(column: str, value: Any, names: Mapping[str, Mapping[int, str]]) -> Any:
    """Return what an id refers to, anything else as it is."""
    if column.endswith("class_id"):
        return names["class_name"].get(value)
    table = column.removesuffix("_id")
    return names[table].get(value) if column.endswith("_id") and table in names else value


def _rows(
    connection: sqlite3.Connection, table: str, names: Mapping[str, Mapping[int, str]]
) -> Rows:
    info = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
    keyed = _KEYS.get(table) or tuple(row["name"] for row in info if row["pk"])
    left = (*_OF_THE_SESSION.get(table, ()), "id")
    rows = Rows()
    for row in connection.execute(f'SELECT * FROM "{table}"'):
        values = {
            name: _read(name, row[name], names) for name, _ in info if name not in (*left, *keyed)
        }
        if table == "pmi":
            _by_caption(values, row["caption_ids"], names["caption"])
        rows[_name(row, keyed, names)] = values
    return rows


def _read(column: str, value: Any, names: Mapping[str, Mapping[int, str]]) -> Any:
    """Return a value without ids: blobs as arrays, JSON as what it says."""
    if isinstance(value, bytes):
        return decode_array(value) if value[:1] in (b"A", b"S") else value
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return _without_ids(json.loads(value), names)
        except ValueError:
            return value
    return _referred(column, value, names)


def _without_ids(value: Any, names: Mapping[str, Mapping[int, str]]) -> Any:
    if isinstance(value, dict):
        return {
            key: _referred(key, each, names) if isinstance(each, int) else _without_ids(each, names)
            for key, each in value.items()
            if not key.endswith("_ids")
        }
    return [_without_ids(each, names) for each in value] if isinstance(value, list) else value


def _by_caption(values: dict[str, Any], ids: bytes, captions: Mapping[int, str]) -> None:
    """Bring a class's matrix into the order of its captions' texts."""
    texts = [captions[int(number)] for number in decode_array(ids)]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    values["caption_ids"] = sorted(texts)
    for column in ("counts", "surprisal", "relevance"):
        values[column] = values[column][order]
    values["matrix"] = values["matrix"][order][:, order]
