from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from db import queries, writes
from db.errors import StoreError
from db.rows import NewClass, NewImage, NewPrediction
from db.stats import wilson


def test_a_file_without_runs_says_so(engine: Engine) -> None:
    assert queries.runs(engine) == []
    with pytest.raises(StoreError, match="no run yet"):
        queries.latest_run(engine)
    with pytest.raises(StoreError, match="no run 7"):
        queries.run(engine, 7)


def test_counts(store: Any) -> None:
    found = queries.counts(store.engine, store.run_id)
    assert (found.classes, found.images, found.readable) == (3, 7, 6)
    assert (found.predicted, found.correct) == (6, 3)
    # The texts are: a grey cat, green leaves, a Café chair, the empty one.
    assert (found.regions, found.captions) == (7, 4)


def test_the_figures_of_a_class_are_what_a_person_counts(store: Any) -> None:
    tabby, lynx, crane = queries.classes(store.engine, store.run_id)
    assert (tabby.images, tabby.readable, tabby.predicted, tabby.correct) == (4, 4, 4, 1)
    assert tabby.accuracy == 0.25
    assert (tabby.accuracy_low, tabby.accuracy_high) == pytest.approx(wilson(1, 4))
    assert tabby.mean_true_probability == pytest.approx((0.9 + 0.3 + 0.2 + 0.1) / 4)
    assert (tabby.top_wrong_name, tabby.top_wrong_count) == ("lynx", 2)
    assert tabby.top_wrong_class_id == store.lynx
    # Three that say something; the empty caption is not counted.
    assert tabby.distinct_captions == 3
    assert tabby.first_sentence == "a grey cat."
    assert (lynx.images, lynx.readable, lynx.correct, lynx.accuracy) == (3, 2, 2, 1.0)
    assert (lynx.top_wrong_name, lynx.top_wrong_count) == (None, 0)
    assert (crane.images, crane.accuracy, crane.accuracy_low) == (0, None, None)
    assert queries.class_record(store.engine, store.lynx) == lynx


def test_figures_that_no_longer_hold_go(store: Any) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM image"))
    writes.aggregate_accuracy(store.engine, store.run_id)
    writes.aggregate_captions(store.engine, store.run_id)
    for found in queries.classes(store.engine, store.run_id):
        assert (found.images, found.predicted, found.correct, found.accuracy) == (0, 0, 0, None)
        assert (found.top_wrong_class_id, found.top_wrong_count) == (None, 0)
        assert found.distinct_captions == 0
        assert queries.confusions(store.engine, found.id) == []


@pytest.mark.parametrize(
    ("sort", "descending", "wanted"),
    [
        ("position", False, ["tabby", "lynx", "crane"]),
        ("position", True, ["crane", "lynx", "tabby"]),
        ("name", False, ["crane", "lynx", "tabby"]),
        ("images", True, ["tabby", "lynx", "crane"]),
        # The class without a figure comes last in both directions.
        ("accuracy", False, ["tabby", "lynx", "crane"]),
        ("accuracy", True, ["lynx", "tabby", "crane"]),
        ("mean_true_probability", True, ["lynx", "tabby", "crane"]),
        ("top_wrong_share", True, ["tabby", "lynx", "crane"]),
        ("distinct_captions", True, ["tabby", "lynx", "crane"]),
        ("first_sentence", False, ["tabby", "lynx", "crane"]),
    ],
)
def test_classes_are_sorted(store: Any, sort: Any, descending: bool, wanted: list[str]) -> None:
    found = queries.classes(store.engine, store.run_id, sort=sort, descending=descending)
    assert [record.name for record in found] == wanted


def test_classes_are_filtered(store: Any) -> None:
    def names(**options: Any) -> list[str]:
        return [found.name for found in queries.classes(store.engine, store.run_id, **options)]

    assert names(words="AB") == ["tabby"]
    assert names(words="n02") == ["lynx"]
    assert names(words="%") == []
    assert names(words="_") == []
    assert names(below=0.5) == ["tabby"]
    assert names(below=0.25) == []
    assert names(words="n0", below=0.5) == ["tabby"]


def test_a_class_is_found_by_its_name_or_label(store: Any) -> None:
    for name in ("tabby", "TABBY", "n01", "N01"):
        assert queries.class_by_name(store.engine, store.run_id, name).id == store.tabby
    for name in ("tab", "%", ""):
        with pytest.raises(StoreError, match="has no class"):
            queries.class_by_name(store.engine, store.run_id, name)
    with pytest.raises(StoreError, match="no class 99"):
        queries.class_record(store.engine, 99)


def test_a_name_that_two_classes_have_is_refused_with_their_labels(store: Any) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE class_name SET name = 'crane' WHERE label = 'n02'"))
    with pytest.raises(StoreError, match="n02, n03"):
        queries.class_by_name(store.engine, store.run_id, "crane")
    assert queries.class_by_name(store.engine, store.run_id, "n03").id == store.crane


def test_confusions(store: Any) -> None:
    found = queries.confusions(store.engine, store.tabby)
    assert [(c.predicted_name, c.count, c.share) for c in found] == [
        ("lynx", 2, 0.5),
        ("crane", 1, 0.25),
    ]
    assert queries.confusions(store.engine, store.lynx) == []


def test_the_text_side_of_a_class(store: Any) -> None:
    tokens = queries.class_tokens(store.engine, store.tabby)
    assert [(token.token, token.score) for token in tokens] == [("the", 0.1), ("tabby", 0.9)]
    found = queries.class_embeddings(store.engine, store.run_id)
    assert found.ids.tolist() == [store.tabby, store.lynx, store.crane]
    assert np.array_equal(found.vectors, np.eye(3))
    assert found.norms.tolist() == [1.0] * 3
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE class_text SET tokens = '[[1]]'"))
    with pytest.raises(StoreError, match="token relevance"):
        queries.class_tokens(store.engine, store.tabby)
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM class_text"))
    assert queries.class_tokens(store.engine, store.tabby) == []
    assert queries.class_embeddings(store.engine, store.run_id).ids.size == 0


def test_two_runs_in_one_file_do_not_meet(store: Any, spec: Any) -> None:
    before = queries.counts(store.engine, store.run_id)
    other = writes.start_run(store.engine, replace(spec, config_hash="hash-2"))
    [tabby] = writes.add_classes(store.engine, other, [NewClass(0, "tabby", "n01")])
    [pending] = writes.add_images(store.engine, other, [NewImage("tabby/1.jpg", tabby, "digest")])
    writes.add_predictions(store.engine, [NewPrediction(pending, [(tabby, 1.0, 9.0)], 1.0, 1, 9.0)])
    writes.aggregate_accuracy(store.engine, other)
    writes.aggregate_captions(store.engine, other)
    assert queries.counts(store.engine, store.run_id) == before
    assert queries.class_by_name(store.engine, other, "tabby").accuracy == 1.0
    assert queries.image_by_path(store.engine, store.run_id, "tabby/1.jpg").class_id == store.tabby
    assert queries.image_by_path(store.engine, other, "tabby/1.jpg").class_id == tabby
    assert queries.search_captions(store.engine, other, "cat") == []
    assert [run.id for run in queries.runs(store.engine)] == [other, store.run_id]
