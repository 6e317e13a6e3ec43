"""The pages of the browser must come from indexes alone: a million rows are never sorted."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from db import queries


@contextmanager
def plans(store: Any) -> Iterator[list[str]]:
    """Collect SQLite's plan of every query that is run inside."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            own = cursor.connection.cursor()
            rows = own.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.extend(row[3] for row in rows)

    event.listen(store.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", explain)


@pytest.mark.parametrize(
    ("options", "index"),
    [
        ({}, "ix_prediction_class_id_margin"),
        ({"show": "wrong"}, "ix_prediction_class_id_correct_margin"),
        ({"show": "right", "descending": True}, "ix_prediction_class_id_correct_margin"),
        ({"wrong_as": 2}, "ix_prediction_class_id_predicted_class_id_margin"),
    ],
)
def test_a_page_of_images_comes_from_an_index(
    store: Any, options: dict[str, Any], index: str
) -> None:
    for after in (None, (-1.0, 2)):
        with plans(store) as found:
            queries.images(store.engine, store.tabby, after=after, limit=2, **options)
        page = next(line for line in found if index in line)
        assert "COVERING INDEX" in page
        if after is not None:
            assert re.search(r"margin[<>]\?", page)


def test_a_page_of_captions_comes_from_an_index(store: Any) -> None:
    with plans(store) as found:
        queries.captions(store.engine, store.tabby, after=(3, 1), limit=2)
    assert any("ix_class_caption_class_id_count_caption_id" in line for line in found), found
    assert not any("TEMP B-TREE" in line for line in found), found


def test_captions_are_searched_in_their_index_first(store: Any) -> None:
    for class_id in (None, store.tabby):
        with plans(store) as found:
            queries.search_captions(store.engine, store.run_id, "cat", class_id=class_id)
        assert "caption_fts VIRTUAL TABLE INDEX" in found[0]
        assert not any("TEMP B-TREE" in line for line in found), found


def test_a_chunk_of_embeddings_is_read_in_their_order(store: Any) -> None:
    # By the index of the run, each chunk would read and sort all embeddings again.
    with plans(store) as found:
        list(queries.region_embeddings(store.engine, store.run_id, "pooled", chunk=2))
    assert found
    assert not any("TEMP B-TREE" in line for line in found), found
    assert any(re.search(r"embedding .*\(region_id>\?\)", line) for line in found), found
    assert not any("run_id" in line for line in found), found


def test_no_screen_scans_a_large_table(store: Any) -> None:
    engine, image_id = store.engine, store.images["tabby/1.jpg"]
    cat = queries.captions(engine, store.tabby)[0]
    [first, *_] = queries.regions(engine, image_id)
    with plans(store) as found:
        queries.classes(engine, store.run_id, sort="accuracy", words="a")
        queries.confusions(engine, store.tabby)
        queries.images(engine, store.lynx)
        queries.image(engine, image_id)
        queries.top_classes(engine, image_id)
        queries.thumbnails(engine, [image_id])
        queries.relevances(engine, [image_id])
        queries.regions(engine, image_id)
        queries.regions_by_id(engine, [first.id])
        queries.captions(engine, store.tabby)
        queries.caption_regions(engine, [cat.caption_id], class_id=store.tabby)
        queries.summary(engine, store.tabby, 2, 1.0)
        queries.pmi(engine, store.tabby)
        queries.images_of_captions(engine, store.tabby, [cat.caption_id])
        queries.counts(engine, store.run_id)
        queries.run_totals(engine, store.run_id)
        list(queries.region_embeddings(engine, store.run_id, "pooled"))
    scans = {line for line in found if line.startswith("SCAN")}
    # json_each lists the ids that were asked for.
    assert {line for line in scans if "VIRTUAL TABLE" not in line} == set()
