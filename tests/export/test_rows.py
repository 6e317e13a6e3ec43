"""Exports: every row and column of a run, chunk by chunk."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from db import queries
from db.engine import open_read
from db.errors import StoreError
from db.queries.export import row_count, rows
from db.queries.export_tables import TABLES
from mapcap.export.rows import NAMES, chunks, columns, count, one_row
from mapcap.text import clean
from tests.export.stored import exported

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
