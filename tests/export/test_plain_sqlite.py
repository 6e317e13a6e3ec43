"""The file opens without MapCap, as docs/file-format.md says."""

import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db import queries
from db.schema import Base

ROOT = Path(__file__).parents[2]
DTYPES = {1: "<f2", 2: "<f4", 3: "<i8", 4: "|u1", 5: "<u2", 6: "<u4"}


@pytest.fixture
def plain(filled: Any) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{filled.path.as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def read(blob: bytes) -> tuple[bytes, tuple[int, ...], Any]:
    """Take a blob apart by the words of docs/file-format.md alone."""
    letter, dtype, dimensions = struct.unpack_from("<cBB", blob)
    shape = struct.unpack_from(f"<{dimensions}I", blob, 3)
    return letter, shape, np.frombuffer(blob, DTYPES[dtype], offset=3 + 4 * dimensions)


def split(blob: bytes) -> tuple[bytes, tuple[int, ...], bytes]:
    letter, _, dimensions = struct.unpack_from("<cBB", blob)
    shape = struct.unpack_from(f"<{dimensions}I", blob, 3)
    return letter, shape, blob[3 + 4 * dimensions :]


def unfolded(number: int) -> int:
    return -(number >> 1) - 1 if number & 1 else number >> 1


def rice(codes: bytes, count: int) -> list[int]:
    """Read numbers one bit after another."""
    low = codes[0]
    end = 1 + (count * low + 7) // 8
    bits = "".join(f"{byte:08b}" for byte in codes[1:end])
    above = "".join(f"{byte:08b}" for byte in codes[end:]).split("1")
    lowest = [int(bits[low * i : low * (i + 1)] or "0", 2) for i in range(count)]
    return [unfolded(len(above[i]) << low | lowest[i]) for i in range(count)]


def edges(deflated: bytes, width: int) -> list[int]:
    """Read where the runs of a mask end."""
    octets = np.frombuffer(zlib.decompress(deflated, wbits=-15), np.uint8).reshape(4, -1)
    found: list[int] = []
    for folded in octets.T.copy().view("<u4")[:, 0].tolist():
        before = found[-2] + width if len(found) > 1 else 0
        found.append(before + unfolded(folded))
    return found


def test_every_table_is_read_and_nothing_else_is_needed(plain: sqlite3.Connection) -> None:
    # As a careful reader opens a file from somebody else.
    plain.execute("PRAGMA trusted_schema = OFF")
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    objects = plain.execute("SELECT type, name FROM sqlite_master").fetchall()
    assert not [name for kind, name in objects if kind == "view"]
    assert {name for kind, name in objects if kind == "trigger"} == {
        "caption_fts_insert", "caption_fts_delete", "caption_fts_update",
    }  # fmt: skip
    stored = {name for kind, name in objects if kind == "table"}
    assert set(Base.metadata.tables) <= stored
    for name, table in Base.metadata.tables.items():
        cursor = plain.execute(f'SELECT * FROM "{name}"')
        cursor.fetchall()
        assert {each[0] for each in cursor.description} == set(table.columns.keys())


def test_captions_are_searched(plain: sqlite3.Connection) -> None:
    found = plain.execute("SELECT text FROM caption_fts WHERE caption_fts MATCH 'sofa'").fetchall()
    assert found == [("a grey cat on a sofa.",)]


def test_blobs_are_what_the_readme_says(plain: sqlite3.Connection, filled: Any) -> None:
    image_id = queries.images(filled.engine, filled.ids[0])[0].id
    one = queries.relevances(filled.engine, [image_id])[image_id]["true"]
    (blob,) = plain.execute("SELECT grid FROM relevance WHERE id = ?", (one.id,)).fetchone()
    letter, shape, steps = split(blob)
    assert letter == b"S"
    grid = np.array(rice(steps[1:], int(np.prod(shape)))) / 2 ** steps[0]
    np.testing.assert_array_equal(grid.reshape(shape), one.grid)
    region = queries.regions(filled.engine, image_id)[0]
    bits, mask = plain.execute(
        "SELECT patch_mask, mask FROM region WHERE id = ?", (region.id,)
    ).fetchone()
    letter, shape, values = read(bits)
    assert letter == b"B"
    flat = np.unpackbits(values)[: shape[0] * shape[1]]
    np.testing.assert_array_equal(flat.reshape(shape), region.patch_mask)
    letter, shape, deflated = split(mask)
    assert letter == b"E"
    ends = np.zeros(shape[0] * shape[1], int)
    ends[edges(deflated, shape[1])] = 1
    np.testing.assert_array_equal((np.cumsum(ends) % 2).reshape(shape), region.mask)


def test_every_table_and_column_is_documented() -> None:
    documented = (ROOT / "docs" / "tables.md").read_text("utf-8").splitlines()
    script = ROOT / "scripts" / "describe_tables.py"
    result = subprocess.run(
        [sys.executable, script], capture_output=True, check=True, cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    lines = result.stdout.decode("utf-8").splitlines()
    assert len(lines) > 30
    assert not [line for line in lines if line and line not in documented]
