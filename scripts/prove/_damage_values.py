"""Values in a store that nobody expects there: of other types, sizes, shapes, and hostile."""

import json
import random
import sqlite3
import struct
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from scripts.prove._tampering import assign, opened, somewhere, tables_of

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


def set_value(file: Path, chance: random.Random) -> None:
    """Put a value of another type into a column."""
    table, column, where = somewhere(file, chance)
    value = chance.choice(
        (None, chance.choice(TEXTS), chance.choice(NUMBERS), chance.randbytes(9), b"", "12", "nan")
    )
    assign(file, table, column, value, where)


def set_number(file: Path, chance: random.Random) -> None:
    """Put a number, far from any that belongs there, into a column."""
    table, column, where = somewhere(file, chance)
    assign(file, table, column, chance.choice(NUMBERS), where)


def set_texts(file: Path, chance: random.Random) -> None:
    """Put hostile text into every column of text that can take it."""
    with closing(opened(file)) as connection:
        for table in tables_of(connection):
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
    with closing(opened(file)) as connection:
        (stored,) = connection.execute(f"SELECT {column} FROM {table}").fetchone() or ("{}",)
    if chance.random() < 0.5:
        value = json.loads(stored)
        if isinstance(value, dict) and value:
            value[chance.choice(sorted(value))] = chance.choice(_JSON)
            text = json.dumps(value)
    if chance.random() < 0.1:
        text = chance.choice(("{", "[" * 50_000, "NaN", '{"a": Infinity}', "\x1b"))
    assign(file, table, column, text, "")


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
    with closing(opened(file)) as connection:
        blobs = [
            (table, column)
            for table in tables_of(connection)
            for (column,) in connection.execute(
                "SELECT name FROM pragma_table_info(?) WHERE type = 'BLOB'", (table,)
            )
        ]
    table, column = chance.choice(blobs)
    value = _picture(chance) if table == "thumbnail" else _array(chance)
    assign(file, table, column, value, chance.choice(("", "WHERE random() % 3 = 0")))
