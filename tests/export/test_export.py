"""Exports: every row and column, in three formats, chunk by chunk, whatever the text."""

import csv
import json
import re
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from db import queries
from db.engine import open_read
from db.errors import StoreError
from db.queries.export import row_count, rows
from db.queries.export_tables import TABLES, Column
from db.verdicts import Verdict, beside, write_verdicts
from mapcap.export.formats import write_csv, write_jsonl, write_parquet, writer
from mapcap.export.rows import NAMES, chunks, columns, count, one_row
from mapcap.text import clean

# Columns may be added at the end; others read these files by name.
STABLE = {
    "classes": "label class position images readable predicted correct accuracy accuracy_low "
    "accuracy_high mean_true_probability top_wrong_label top_wrong_class top_wrong_count "
    "distinct_captions first_sentence audit figures verdict note",
    "images": "path label class predicted_label predicted_class correct confidence "
    "true_probability true_rank margin width height file_size content_hash x0 y0 x1 y1 error "
    "figures attributes verdict note",
    "regions": "path label class role rank target_label x0 y0 x1 y1 area_share mass_share caption "
    "log_probability cosine correct",
    "captions": "label class caption regions right wrong tokens empty artefact",
    "summaries": "label class k redundancy position sentence relevance penalty score regions right "
    "wrong",
    "findings": "label class position kind title score figures images details subject verdict note",
    "verdicts": "about name verdict note made right_label title",
}
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


def exported(store: Any, table: str, **options: Any) -> list[dict[str, Any]]:
    run = queries.latest_run(store.engine)
    names = [column.name for column in columns(table)]
    marks = options.pop("marks", {})
    found = chunks(store.engine, run, table, marks, **options)
    return [dict(zip(names, row, strict=True)) for chunk in found for row in chunk]


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


def test_columns_are_stable_named_once_and_explained() -> None:
    assert {name: " ".join(c.name for c in columns(name)) for name in NAMES} == STABLE
    for name in NAMES:
        stated = columns(name)
        assert len({column.name for column in stated}) == len(stated)
        assert all(len(column.meaning) > 3 for column in stated)
        assert one_row(name).startswith("a")


def test_classes(filled: Any) -> None:
    first, *_, last = exported(filled, "classes")
    assert first["label"] == "n00" and first["class"] == "tabby"
    assert (first["images"], first["predicted"], first["correct"]) == (6, 6, 2)
    assert first["accuracy"] == pytest.approx(1 / 3)
    assert (first["top_wrong_label"], first["top_wrong_count"]) == ("n01", 4)
    assert json.loads(first["figures"]) == {"pointing": 0.5, "energy": 0.25}
    assert first["audit"].startswith("tabby: 2 of 6 correct")
    assert last["figures"] is None


def test_images(filled: Any, hostile: str) -> None:
    found = exported(filled, "images")
    assert [row["path"] for row in found] == sorted(clean(row["path"]) for row in found)
    assert len(found) == 24
    right, wrong = found[0], found[3]
    assert (right["correct"], right["confidence"], right["true_rank"]) == (True, 0.8, 1)
    assert (wrong["correct"], wrong["predicted_label"], wrong["true_rank"]) == (False, "n01", 2)
    assert wrong["confidence"] == 0.7 and wrong["true_probability"] == 0.2
    assert (right["x0"], right["y1"], right["width"]) == (1.0, 4.5, 64)
    assert found[-1]["class"] == clean(hostile)


def test_regions(filled: Any) -> None:
    found = exported(filled, "regions")
    assert len(found) == 4 * (6 + 2 * 4)
    of_one = [row for row in found if row["path"] == filled.paths[0][2]]
    assert [(row["role"], row["rank"], row["target_label"]) for row in of_one] == [
        ("contrast", 1, "n01"), ("predicted", 1, "n01"), ("true", 1, "n00"),
    ]  # fmt: skip
    assert (of_one[0]["x0"], of_one[0]["mass_share"], of_one[0]["cosine"]) == (8.0, 0.5, 0.3)


def test_captions_and_summaries(filled: Any) -> None:
    for class_id, label in zip(filled.ids, ("n00", "n01", "n02", "n03"), strict=True):
        expected = queries.captions(filled.engine, class_id)
        found = [row for row in exported(filled, "captions") if row["label"] == label]
        assert [(row["caption"], row["regions"], row["right"], row["wrong"]) for row in found] == [
            (clean(each.text), each.count, each.right, each.wrong) for each in expected
        ]
    sentences = [row for row in exported(filled, "summaries") if row["label"] == "n00"]
    stored = queries.summary(filled.engine, filled.ids[0], 3, 1.0)
    assert stored is not None
    assert [(row["position"], row["sentence"], row["score"]) for row in sentences] == [
        (each.position, clean(each.text), each.score) for each in stored.sentences
    ]
    assert {row["k"] for row in sentences} == {3}


def test_findings_name_their_images_in_order(filled: Any) -> None:
    first = exported(filled, "findings")[0]
    assert (first["position"], first["kind"], first["score"]) == (0, "confusion", 0.4)
    assert json.loads(first["images"]) == filled.paths[0][:1:-1]
    assert json.loads(first["figures"])["share_of_errors"] == 1.0


@pytest.mark.parametrize("table", [name for name in NAMES if name != "verdicts"])
def test_rows_come_in_chunks_and_are_counted(filled: Any, table: str) -> None:
    found = list(rows(filled.engine, filled.run_id, table, chunk=3))
    sizes = [len(chunk) for chunk in found]
    assert all(size == 3 for size in sizes[:-1]) and 1 <= sizes[-1] <= 3
    assert sum(sizes) == row_count(filled.engine, filled.run_id, table) > 3
    whole = [row for chunk in rows(filled.engine, filled.run_id, table) for row in chunk]
    assert [row for chunk in found for row in chunk] == whole


@pytest.mark.parametrize("table", list(TABLES))
def test_nothing_is_sorted_or_read_twice(filled: Any, table: str) -> None:
    plan: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        own = cursor.connection.cursor()
        own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan.extend(row[3] for row in own.fetchall())

    event.listen(filled.engine, "before_cursor_execute", explain)
    list(rows(filled.engine, filled.run_id, table))
    event.remove(filled.engine, "before_cursor_execute", explain)
    # A scan of all of a table would be made again for every row.
    assert plan and not [
        step for step in plan if "TEMP B-TREE" in step or (step.startswith("SCAN ") and
        "anon" not in step)
    ], plan  # fmt: skip


def test_memory_does_not_grow_with_the_rows(own: Any) -> None:
    run = queries.latest_run(own.engine)

    def grow(to: int) -> None:
        with own.engine.begin() as connection:
            connection.execute(
                text(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :to)"
                    "INSERT OR IGNORE INTO image (run_id, class_id, path, error) "
                    "SELECT :run, :class, 'more/' || i, 'a text of some length ' || i FROM n"
                ),
                {"to": to, "run": own.run_id, "class": own.ids[0]},
            )

    def peak() -> int:
        tracemalloc.start()
        for chunk in chunks(own.engine, run, "images", {}, size=500):
            assert len(chunk) <= 500
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    grow(1_500)
    peak()
    few = peak()
    grow(15_000)
    assert count(own.engine, run, "images", {}) == 15_012
    assert peak() < 1.5 * few


def test_rows_are_of_one_moment(own: Any) -> None:
    with own.engine.connect():
        pass  # a writer is there before the reader: the file has a log beside it
    reading = open_read(own.path)
    found = rows(reading, own.run_id, "images", chunk=2)
    first = next(found)
    with own.engine.begin() as connection:
        connection.execute(text("DELETE FROM image WHERE id > 4"))
    assert len(first) + sum(len(chunk) for chunk in found) == 12
    reading.dispose()


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("images", "UPDATE image SET width = '=cmd' WHERE id = 2"),
        ("images", "UPDATE image SET x0 = '=cmd' WHERE id = 2"),
        ("findings", "UPDATE finding SET figures = '{not json'"),
    ],
)
def test_a_value_of_another_kind_is_refused(
    own: Any, table: str, damage: str, tmp_path: Path, call: Callable[..., Any]
) -> None:
    with own.engine.begin() as connection:
        connection.execute(text(damage))
    with pytest.raises(StoreError, match="damaged"):
        exported(own, table)
    out = tmp_path / "out" / "x.csv"
    out.parent.mkdir()
    result = call("export", own.path, "--table", table, "--out", out)
    assert result.code == 2 and "damaged" in result.err
    assert not list(out.parent.iterdir())


def test_a_number_that_is_not_finite_is_missing(own: Any) -> None:
    with own.engine.begin() as connection:
        connection.execute(text("UPDATE prediction SET margin = 9e999"))
    assert {row["margin"] for row in exported(own, "images")} == {None}


def verdicts(store: Any) -> Path:
    file = beside(store.path)
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    write_verdicts(
        file,
        Verdict("one", "image", store.paths[0][1], "label wrong", "=a dog\nreally\x1b[0m", made),
        Verdict("one", "class", "n01", "ambiguous", "", made),
    )
    return file


def test_verdicts_stand_beside_what_they_are_about(
    own: Any, call: Callable[..., Any], tmp_path: Path
) -> None:
    file = verdicts(own)
    result = call("export", own.path, "--table", "images", "--format", "jsonl", "--out", "-")
    found = [json.loads(line) for line in result.out.splitlines()]
    marked = {row["path"]: (row["verdict"], row["note"]) for row in found if row["verdict"]}
    assert marked == {own.paths[0][1]: ("label wrong", "=a dog really�[0m")}
    of_classes = call("export", own.path, "--table", "classes", "--format", "csv", "--out", "-")
    assert of_classes.out.count("ambiguous") == 1
    elsewhere = tmp_path / "mine.sqlite"
    file.rename(elsewhere)
    out = tmp_path / "v.parquet"
    call("export", own.path, "--table", "verdicts", "--out", out, "--verdicts", elsewhere)
    listed = parquet.read_table(out).to_pylist()
    assert [(row["about"], row["name"]) for row in listed] == [
        ("class", "n01"), ("image", own.paths[0][1]),
    ]  # fmt: skip
    assert listed[0]["made"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    none = call("export", own.path, "--table", "verdicts", "--out", "-")
    assert none.out == "about,name,verdict,note,made,right_label,title\n"
    lost = call("export", own.path, "--table", "images", "--out", "-", "--format", "csv",
                "--verdicts", file)  # fmt: skip
    assert lost.code == 2 and "--verdicts" in lost.err


def test_verdicts_are_listed_with_the_right_class(
    own: Any, call: Callable[..., Any], tmp_path: Path
) -> None:
    assert "press v" in call("verdicts", own.path).out
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    path = own.paths[0][1]
    write_verdicts(
        beside(own.path),
        Verdict("one", "image", path, "label wrong", "\x1b[2J", made, "n01"),
        Verdict("one", "image", own.paths[0][0], "label wrong", "", made, ""),
        Verdict("one", "finding", "n01: 2 of 3 are predicted as dog", "noise", "", made),
    )
    listed = json.loads(call("verdicts", own.path, "--json").out)
    assert [(row["kind"], row["mark"], row["right_label"]) for row in listed] == [
        ("finding", "noise", None), ("image", "label wrong", ""), ("image", "label wrong", "n01"),
    ]  # fmt: skip
    printed = call("verdicts", own.path).out
    assert path in printed and "none of them" in printed and "\x1b" not in printed
    assert call("verdicts", own.path, "--verdicts", tmp_path / "no.sqlite").code == 2


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


def test_what_is_wrong_is_said_before_any_work(
    filled: Any, tmp_path: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.csv"
    missing = tmp_path / "missing.db"
    for options, said in (
        (("--table", "image", "--out", out), "Did you mean images?"),
        (("--table", "images", "--out", out, "--format", "xlsx"), "csv, jsonl, parquet"),
        (("--table", "images", "--out", tmp_path / "x.xlsx"), "--format"),
        (("--table", "images", "--out", "-", "--format", "parquet"), "name a file"),
        (("--table", "images", "--out", "-", "--format", "csv", "--json"), "name a file"),
        (("--table", "images", "--out", tmp_path / "no" / "x.csv"), "there is no folder"),
        (("--table", "images", "--out", tmp_path, "--format", "csv"), "is not a file"),
    ):
        # The file to read is not there, which would be said if it were looked at first.
        result = call("export", missing, *options)
        assert result.code == 2 and said in result.err, result.err
    own_file = call("export", filled.path, "--table", "images", "--out", filled.path, "--force",
                    "--format", "csv")  # fmt: skip
    assert own_file.code == 2 and "the file that is read" in own_file.err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    result = call("export", missing, "--table", "images", "--out", tmp_path / "x.parquet")
    assert result.code == 2 and "pip install 'mapcap[parquet]'" in result.err
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_by_force(
    filled: Any, tmp_path: Path, call: Callable[..., Any]
) -> None:
    out, link = tmp_path / "x.csv", tmp_path / "link.csv"
    out.write_text("mine")
    link.symlink_to(out)
    refused = call("export", filled.path, "--table", "classes", "--out", out)
    assert refused.code == 2 and "--force" in refused.err and out.read_text() == "mine"
    result = call("export", filled.path, "--table", "classes", "--out", link, "--force", "--json")
    page = json.loads(result.out)
    assert (page["rows"], page["bytes"]) == (4, out.stat().st_size)
    assert link.is_symlink() and out.read_text("utf-8").startswith("label,class")
    assert sorted(tmp_path.iterdir()) == [link, out]


def test_a_disk_that_is_full_is_said(
    filled: Any, tmp_path: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mapcap.commands.export.writer", lambda name: full)
    result = call("export", filled.path, "--table", "classes", "--out", tmp_path / "x.csv")
    assert result.code == 2 and "No space left" in result.err
    assert not list(tmp_path.iterdir())


def test_the_writers_are_known() -> None:
    assert [writer(name) for name in ("csv", "jsonl", "parquet")] == [
        write_csv, write_jsonl, write_parquet,
    ]  # fmt: skip
