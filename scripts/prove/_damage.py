"""Ways to damage a store, or to tamper with it: each changes a file in place, by chance."""

import json
import random
import sqlite3
import struct
from collections.abc import Callable, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

TEXTS = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x00\x08",
    "[bold red]markup[/] [@click=app.quit]x[/] [/nothing]",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://x")',
    "\t=1+1",
    "\u202egnp.\u202c\u2066x\u2069",
    "\u2028\u2029\r\n\n",
    "e" + "\u0301" * 300,
    "x" * 100_000,
    "漢字👩\u200d👩\u200d👧" * 50,
    "%s %n {0} ${x} `x`",
    "../../../../etc/passwd",
    "",
)
NUMBERS = (
    0, -1, 1, 2, 7, 255, 2**31, 2**62, 2**63 - 1, -(2**63), 0.0, -0.0, 0.5, -1.5, 1e-320, 1e15,
    1e300, -1e300, float("inf"), float("-inf"),
)  # fmt: skip
_JSON: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 2**70, "text", TEXTS[0], TEXTS[3], [], {}, [[]], [None],
    [1, "a"], [[1, 2, 3]], {"": 1}, {"a": {"b": [1]}}, [TEXTS[0]] * 200, {"bins": 3}, {"bins": [3]},
    {"bins": [{"low": "x", "high": None, "accuracy": [], "images": {}}]}, {"count": "many"},
    {"text": 3, "figures": []}, [{"text": {}}], {"representation": 3, "sentences": "x"},
    {"sentences": -5, "redundancy": 1e308}, {"photos": 5}, {"resize_mode": []},
)  # fmt: skip

Damage = Callable[[Path, random.Random], None]


def _overwrite(file: Path, at: int, new: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(new)


def flip_bytes(file: Path, chance: random.Random) -> None:
    """Write other bytes at a few places, of the first pages as often as of the rest."""
    size = file.stat().st_size
    for _ in range(chance.choice((1, 1, 3, 20, 200))):
        _overwrite(file, chance.randrange(chance.choice((100, 8192, size))), chance.randbytes(1))


def break_page(file: Path, chance: random.Random) -> None:
    """Put noise, zeros or another page in the place of a page."""
    data, size = file.read_bytes(), 8192
    pages = max(1, len(data) // size)
    at, other = chance.randrange(pages) * size, chance.randrange(pages) * size
    new = chance.choice((bytes(size), chance.randbytes(size), data[other : other + size]))
    _overwrite(file, at, new)


def cut(file: Path, chance: random.Random) -> None:
    """Leave the beginning of the file alone, or lengthen it."""
    data = file.read_bytes()
    kept = chance.choice((0, 1, 16, 99, 100, 4096, 8192, chance.randrange(len(data))))
    file.write_bytes(data[:kept] if chance.random() < 0.9 else data + chance.randbytes(kept))


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return sorted(name for (name,) in rows if not name.startswith(("caption_fts", "sqlite_")))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in rows]


def _opened(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _assign(file: Path, table: str, column: str, value: object, where: str) -> None:
    """Set a column to a value of any type: its type and constraints are away for the moment."""
    bare = (" INTEGER", " FLOAT", " TEXT", " BOOLEAN", " BLOB", " REAL", " NOT NULL")
    find = "SELECT sql FROM sqlite_master WHERE name = ?"
    store = "UPDATE sqlite_master SET sql = ? WHERE name = ? AND type = 'table'"
    with closing(_opened(file)) as connection:
        (sql,) = connection.execute(find, (table,)).fetchone()
        loose = sql
        for word in bare:
            loose = loose.replace(word, "")
        # An integer key is the row's number: it stays one.
        keyed = "id INTEGER NOT NULL" if sql.count("id INTEGER NOT NULL") else ""
        loose = loose.replace("\n    id,", "\n    id INTEGER,") if keyed else loose
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(store, (loose, table))
    try:
        with closing(_opened(file)) as connection:
            connection.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ? {where}', (value,))
    except sqlite3.Error:
        pass  # a key that may not be so
    with closing(_opened(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(store, (sql, table))


def _somewhere(file: Path, chance: random.Random) -> tuple[str, str, str]:
    with closing(_opened(file)) as connection:
        tables = _tables(connection)
        table = chance.choice(tables)
        column = chance.choice(_columns(connection, table))
    every = "" if chance.random() < 0.7 else "WHERE random() % 3 = 0"
    return table, column, every


def set_value(file: Path, chance: random.Random) -> None:
    """Put a value of another type into a column."""
    table, column, where = _somewhere(file, chance)
    value = chance.choice(
        (None, chance.choice(TEXTS), chance.choice(NUMBERS), chance.randbytes(9), b"", "12", "nan")
    )
    _assign(file, table, column, value, where)


def set_number(file: Path, chance: random.Random) -> None:
    """Put a number, far from any that belongs there, into a column."""
    table, column, where = _somewhere(file, chance)
    _assign(file, table, column, chance.choice(NUMBERS), where)


def set_texts(file: Path, chance: random.Random) -> None:
    """Put hostile text into every column of text that can take it."""
    with closing(_opened(file)) as connection:
        for table in _tables(connection):
            rows = connection.execute(
                "SELECT name FROM pragma_table_info(?) WHERE type = 'TEXT'", (table,)
            ).fetchall()
            for (column,) in rows:
                if column in ("config", "networks", "versions", "notes", "clauses", "figures",
                              "tokens", "attributes", "details", "role", "status", "config_hash",
                              "representation"):  # fmt: skip
                    continue
                text = chance.choice(TEXTS[:12])
                try:
                    connection.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ?', (text,))
                    connection.execute(
                        f'UPDATE OR IGNORE "{table}" SET "{column}" = ? || rowid', (text,)
                    )
                except sqlite3.Error:
                    continue  # a table without row ids, a key


def set_json(file: Path, chance: random.Random) -> None:
    """Put JSON of another shape where JSON is stored, or what is none."""
    places = (
        ("run", "config"), ("run", "networks"), ("run", "versions"), ("run", "notes"),
        ("class_audit", "clauses"), ("class_audit", "figures"), ("finding", "figures"),
        ("finding", "details"), ("class_text", "tokens"), ("image", "attributes"),
    )  # fmt: skip
    table, column = chance.choice(places)
    text = json.dumps(chance.choice(_JSON))
    with closing(_opened(file)) as connection:
        (stored,) = connection.execute(f"SELECT {column} FROM {table}").fetchone() or ("{}",)
    if chance.random() < 0.5:
        value = json.loads(stored)
        if isinstance(value, dict) and value:
            value[chance.choice(sorted(value))] = chance.choice(_JSON)
            text = json.dumps(value)
    if chance.random() < 0.1:
        text = chance.choice(("{", "[" * 50_000, "NaN", '{"a": Infinity}', "\x1b"))
    _assign(file, table, column, text, "")


def _array(chance: random.Random) -> bytes:
    code, _, form = chance.choice(((1, 2, "e"), (2, 4, "f"), (3, 8, "q"), (7, 1, "b")))
    shape: tuple[int, ...] = chance.choice(
        ((0,), (1,), (3,), (0, 0), (1, 1), (2, 3), (7, 7), (1, 2, 3), (64, 64))
    )
    n = 1
    for side in shape:
        n *= side
    number = chance.choice((0, 1, -1, 100) if form in "qb" else (0.0, float("nan"), 1e4, -1.0))
    payload = struct.pack(f"<{n}{form}", *[number] * n)
    if chance.random() < 0.2:
        shape = tuple(chance.choice((0, 1, 2**16, 2**32 - 1)) for _ in shape)
    letter = chance.choice(b"AABR")
    return struct.pack(f"<BBB{len(shape)}I", letter, code, len(shape), *shape) + payload


def _picture(chance: random.Random) -> bytes:
    size = chance.choice(((1, 1), (1, 4000), (4000, 1), (6000, 6000), (16000, 16000), (64, 48)))
    file, kind = BytesIO(), chance.choice(("WEBP", "PNG", "GIF", "JPEG", "TIFF", "BMP"))
    if size[0] * size[1] > 10**6:
        kind = "PNG"
    mode = "1" if kind == "PNG" else "RGB"
    Image.new(mode, size).save(file, kind)
    data = file.getvalue()
    return data if chance.random() < 0.7 else data[: chance.randrange(len(data))]


def set_blob(file: Path, chance: random.Random) -> None:
    """Put arrays of other shapes and types, and pictures of any size, into blobs."""
    with closing(_opened(file)) as connection:
        blobs = [
            (table, column)
            for table in _tables(connection)
            for (column,) in connection.execute(
                "SELECT name FROM pragma_table_info(?) WHERE type = 'BLOB'", (table,)
            )
        ]
    table, column = chance.choice(blobs)
    value = _picture(chance) if table == "thumbnail" else _array(chance)
    _assign(file, table, column, value, chance.choice(("", "WHERE random() % 3 = 0")))


def change_rows(file: Path, chance: random.Random) -> None:
    """Leave rows out, and let others refer to what is not there or to one another."""
    with closing(_opened(file)) as connection:
        for _ in range(chance.choice((1, 1, 2, 5))):
            table = chance.choice(_tables(connection))
            some = f"WHERE random() % {chance.choice((1, 2, 5))} = 0"
            ids = [name for name in _columns(connection, table) if name.endswith("_id")]
            try:
                if not ids or chance.random() < 0.5:
                    connection.execute(f'DELETE FROM "{table}" {some}')
                else:
                    number = chance.choice((0, 1, 2, 3, 99, -1, 2**63 - 1))
                    connection.execute(
                        f'UPDATE OR IGNORE "{table}" SET "{chance.choice(ids)}" = ? {some}',
                        (number,),
                    )
            except sqlite3.Error:
                continue  # a key that may not be so


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


def change_schema(file: Path, chance: random.Random) -> None:
    """Put views, triggers, virtual tables and computed columns where tables are, or none at all."""
    with closing(_opened(file)) as connection:
        table = chance.choice(_tables(connection))
        columns = _columns(connection, table)
        values = ", ".join(f'i AS "{name}"' for name in columns)
        run = connection.execute
        way = chance.randrange(12)
        if way == 0:
            run(f'DROP TABLE "{table}"')
            run(f'CREATE VIEW "{table}" AS {_ENDLESS} {values} FROM n')
        elif way == 1:
            run(f'ALTER TABLE "{table}" RENAME TO kept')
            run(f'CREATE VIEW "{table}" AS SELECT * FROM kept, ({_ENDLESS} i FROM n)')
        elif way == 2:
            event = chance.choice(("INSERT", "UPDATE", "DELETE"))
            run(f'CREATE TRIGGER x AFTER {event} ON "{table}" BEGIN DELETE FROM prediction; END')
        elif way == 3:
            run("DROP TRIGGER caption_fts_update")
            run(
                "CREATE TRIGGER caption_fts_update AFTER UPDATE OF text ON caption BEGIN "
                "DELETE FROM prediction; END"
            )
        elif way == 4:
            run(
                f'ALTER TABLE "{table}" ADD COLUMN made '
                "GENERATED ALWAYS AS (hex(zeroblob(300000000))) VIRTUAL"
            )
        elif way == 5:
            run(f'ALTER TABLE "{table}" RENAME TO "{table} x"')
        elif way == 6:
            old = chance.choice(columns)
            run(f'ALTER TABLE "{table}" RENAME COLUMN "{old}" TO "other"')
        elif way == 7:
            run(f'DROP TABLE "{table}"')
        elif way == 8:
            run(f"PRAGMA user_version = {chance.choice((0, 1, 2, 5, 8, 99, -1, 2**31 - 1))}")
        elif way == 9:
            run(f"PRAGMA application_id = {chance.choice((0, 1, -1))}")
        elif way == 10:
            run("DROP TABLE caption_fts")
            run("CREATE VIRTUAL TABLE caption_fts USING fts5(text)")
        else:
            run("PRAGMA writable_schema = ON")
            what = chance.choice(("'\x1b[31m'", "NULL", "x'ff'", "'CREATE TABLE x(y)'", "7"))
            column = chance.choice(("sql", "name", "tbl_name", "type", "rootpage"))
            run(f"UPDATE sqlite_master SET {column} = {what} WHERE name = ?", (table,))


def spoil_index(file: Path, chance: random.Random) -> None:
    """Spoil the index of the words, or leave the indexes of the tables out."""
    with closing(_opened(file)) as connection:
        if chance.random() < 0.5:
            part = chance.choice(("caption_fts_data", "caption_fts_docsize", "caption_fts_config"))
            column = _columns(connection, part)[-1]
            connection.execute(f"UPDATE {part} SET {column} = ?", (chance.randbytes(20),))
            return
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
        for (name,) in rows:
            if not name.startswith("sqlite_"):
                connection.execute(f'DROP INDEX "{name}"')


def lay_wal(file: Path, chance: random.Random) -> None:
    """Lay a WAL beside the file that is not its own."""
    wal = file.with_name(file.name + "-wal")
    wal.write_bytes(chance.randbytes(chance.choice((0, 1, 32, 5000))))
    if chance.random() < 0.3:
        _overwrite(file, 18, b"\x02\x02")


DAMAGES: Mapping[str, Damage] = {
    "bytes": flip_bytes,
    "page": break_page,
    "cut": cut,
    "value of another type": set_value,
    "number out of range": set_number,
    "hostile text": set_texts,
    "JSON of another shape": set_json,
    "blob of another shape": set_blob,
    "rows and references": change_rows,
    "schema": change_schema,
    "indexes": spoil_index,
    "WAL": lay_wal,
}
