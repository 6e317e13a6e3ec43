"""The three formats give back what went in, and say the same."""

import csv
import json
import re
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.queries.export_tables import Column
from mapcap.export.formats import write_csv, write_jsonl, write_parquet, writer
from mapcap.export.rows import NAMES, columns
from mapcap.text import clean
from tests.export.stored import verdicts

COLUMNS = (
    Column("said", "text", ""),
    Column("n", "integer", ""),
    Column("x", "float", ""),
    Column("sure", "boolean", ""),
    Column("more", "json", ""),
)

ROWS = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(exclude_categories=["Cs"])).map(clean),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.booleans(),
        st.none() | st.dictionaries(st.text(), st.none() | st.text()).map(json.dumps),
    ),
    max_size=20,
)


def unguarded(cell: str) -> str:
    """Undo the apostrophe, as the documentation says."""
    return cell[1:] if re.match("'+[=+\\-@＝＋－＠]", cell) else cell


def parts(listed: list[Any]) -> list[list[Any]]:
    return [listed[at : at + 3] for at in range(0, len(listed), 3)]


@settings(deadline=None)
@given(ROWS)
def test_csv_gives_back_what_went_in(listed: list[Any]) -> None:
    file = BytesIO()
    assert write_csv(file, COLUMNS, parts(listed)) == len(listed)
    lines = list(csv.reader(StringIO(file.getvalue().decode("utf-8"), newline="")))
    assert lines[0] == [column.name for column in COLUMNS]
    written = {None: "", True: "true", False: "false"}
    for line, (said, n, x, sure, more) in zip(lines[1:], listed, strict=True):
        assert not re.match("[=+\\-@＝＋－＠]", line[0])
        assert unguarded(line[0]) == (said or "")
        assert line[1] == ("" if n is None else str(n))
        assert (float(line[2]) if line[2] else None) == x
        assert line[3] == written[sure]
        assert unguarded(line[4]) == (more or "")


@settings(deadline=None)
@given(ROWS)
def test_jsonl_gives_back_what_went_in(listed: list[Any]) -> None:
    file = BytesIO()
    assert write_jsonl(file, COLUMNS, parts(listed)) == len(listed)
    lines = file.getvalue().decode("ascii").splitlines()
    expected = [(*row[:4], None if row[4] is None else json.loads(row[4])) for row in listed]
    assert [tuple(json.loads(line).values()) for line in lines] == expected


@settings(deadline=None, max_examples=30)
@given(ROWS)
def test_parquet_gives_back_what_went_in(listed: list[Any]) -> None:
    file = BytesIO()
    assert write_parquet(file, COLUMNS, parts(listed)) == len(listed)
    table = parquet.read_table(BytesIO(file.getvalue()))
    assert [str(kind) for kind in table.schema.types] == [
        "string", "int64", "double", "bool", "string",
    ]  # fmt: skip
    assert [tuple(row.values()) for row in table.to_pylist()] == listed
    assert parquet.ParquetFile(BytesIO(file.getvalue())).num_row_groups == len(parts(listed))


@pytest.mark.parametrize("table", NAMES)
def test_the_formats_say_the_same(
    own: Any, table: str, tmp_path: Path, call: Callable[..., Any]
) -> None:
    verdicts(own)
    for ending in ("csv", "jsonl", "parquet"):
        result = call("export", own.path, "--table", table, "--out", tmp_path / f"x.{ending}")
        assert result.code == 0, result.err
        assert f"rows of {table}" in result.out
    lines = (tmp_path / "x.jsonl").read_text("ascii").splitlines()
    objects = [json.loads(line) for line in lines]
    typed = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert len(objects) == len(typed) == len(cells) > 1
    for one, two, three in zip(objects, typed, cells, strict=True):
        assert list(one) == list(two) == list(three) == [c.name for c in columns(table)]
        for column in columns(table):
            value, other, cell = one[column.name], two[column.name], three[column.name]
            if value is None:
                assert other is None and cell == ""
            elif column.kind == "json":
                assert value == json.loads(other) == json.loads(cell)
            elif column.kind == "moment":
                assert value == other.isoformat() == cell
            elif column.kind == "text":
                assert value == other == unguarded(cell)
                assert clean(value) == value
            else:
                assert value == other == json.loads(cell)


def test_the_writers_are_known() -> None:
    assert [writer(name) for name in ("csv", "jsonl", "parquet")] == [
        write_csv, write_jsonl, write_parquet,
    ]  # fmt: skip
