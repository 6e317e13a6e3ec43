"""The one reader of tables: what programs write comes back, what is broken is named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.datasets.cells import number, text_of
from mapcap.datasets.tables import open_table
from mapcap.errors import UserError
from scripts.prove import tables as proof

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=8).map(
    lambda text: f"x{text}".strip()
)
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
RECORDS = st.lists(
    st.tuples(TEXTS, TEXTS, st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=120, deadline=None)
@given(kind=st.sampled_from(sorted(set(proof.KINDS) - {"Windows-1252"})), records=RECORDS,
       chance=st.randoms(use_true_random=False))  # fmt: skip
def test_what_is_written_comes_back(
    kind: str, records: list[proof.Record], chance: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("table")
    columns = ["Path", "class", "x0", "y0", "x1", "y1"]
    path = proof.KINDS[kind](folder / "t", columns, records, chance)  # type: ignore[arg-type]
    assert proof.fault_of(path, records) is None


def rows(path: Path, content: str | bytes, name: str = "t.csv") -> list[dict[str, object]]:
    file = path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [record for _, record in open_table(file, "--names").records()]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a,b\n1,2\n3\n", "t.csv", r"t\.csv, line 3: 1 cells under 2 columns; the last is '3'"),
        ("a,b\n1,2,3\n", "t.csv", "line 2: 3 cells under 2"),
        ('a,b\n1,2\n"3,4\n', "t.csv", "line 3: a quote is opened there and never closed"),
        ('a,b\n1,"2"x\n', "t.csv", "line 2: a quote .* in the middle of a cell"),
        ("a,a\n1,2\n", "t.csv", "line 1: there are 2 columns 'a'"),
        ("a,b\n1,\0\n", "t.csv", "line 2: holds null characters"),
        (b"a,b\n1,\x81\n", "t.csv", "t.csv.*UTF-8"),
        ('{"a": 1}\n{"a": 1, "a": 2}\n', "t.jsonl", "line 2: not JSON: the key 'a' comes twice"),
        ('{"a": 1}\n[]\n', "t.jsonl", "line 2: expected an object"),
        (b"PK\3\4[Content_Types].xml xl/", "t.csv", "an Excel workbook: save the sheet as CSV"),
        (b"version https://git-lfs.github.com/spec/v1\n", "t.csv", "git-lfs"),
        ("<!DOCTYPE html>", "t.csv", "a web page"),
        (b"\x1f\x8b\x08", "t.csv.gz", "a gzip archive: unpack it"),
    ],
)
def test_what_is_broken_is_named(
    tmp_path: Path, content: str | bytes, name: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        rows(tmp_path, content, name)


def test_habits_of_programs(tmp_path: Path) -> None:
    expected = [{"a": "1", "b": "2"}]
    for content in (
        "a,b,\n1,2,\n", "a,b\n1,2,,\n", "\ufeffa,b\r\n1,2\r\n", "a;b\r1;2\r", ',a,b\n"1",1,2\n',
        "sep=;\na;b\n1;2\n", 'a\tb\n="1"\t2\n', "a, b\n1, 2\n\n,\n", "a b\n1 2\n".replace(" ", "|"),
        '"a" "b"\n"1" "1" "2"\n',
    ):  # fmt: skip
        assert rows(tmp_path, content) == expected, content


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1.5", 1.5), (" 2 ", 2), ("0,5", 0.5), ("85 %", 0.85), ("1e-3", 0.001), ("１２", 12), (3, 3)],
)
def test_numbers(cell: object, value: float) -> None:
    assert number(cell, "here") == value


@pytest.mark.parametrize(
    "cell",
    ["", "x", "nan", "inf", "1e999", "1_000", "1,234", "0x1", True, None, 10**400, float("nan")],
)
def test_what_is_no_number(cell: object) -> None:
    with pytest.raises(UserError, match=r"^here"):
        number(cell, "here")


def test_cells_as_text() -> None:
    assert [text_of(cell) for cell in (None, float("nan"), 3.0, 2.5, b"x", " y ")] == [
        "", "", "3", "2.5", "x", "y",
    ]  # fmt: skip


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero"), tmp_path, tmp_path / ("x" * 5000)):
        with pytest.raises(UserError, match=r"--names: .*cannot be read"):
            open_table(path, "--names")
