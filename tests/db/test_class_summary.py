"""Summaries as they are read: near copies counted together, either side of a class apart."""

from typing import Any

import pytest

from db import queries
from mapcap.summaries import stored as class_summary
from mapcap.summaries.stored import read_sides, read_summary


def shared(store: Any, value: bool) -> None:
    """Write how the run selects into its stored configuration."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE run SET config = json_set(config, '$.shared', json(?))", (str(value).lower(),)
        )


def test_a_sentence_stands_for_its_near_copies(store: Any) -> None:
    shared(store, True)
    found = read_summary(store.engine, store.tabby, 5, 1.0)
    pmi = queries.pmi(store.engine, store.tabby)
    assert found is not None and pmi is not None
    ids = [number for sentence in found.sentences for number in sentence.caption_ids]
    assert sorted(ids) == sorted(pmi.caption_ids.tolist())
    assert sum(sentence.count for sentence in found.sentences) == pmi.counts.sum()
    for sentence in found.sentences:
        images = queries.images_of_captions(store.engine, store.tabby, sentence.caption_ids)
        assert sentence.right + sentence.wrong == len(
            {i for one in images.values() for i, _ in one}
        )


def test_the_posters_sentences_stand_for_themselves(store: Any) -> None:
    shared(store, False)
    found = read_summary(store.engine, store.tabby, 2, 1.0)
    assert found is not None
    assert [sentence.caption_ids for sentence in found.sentences] == [
        (sentence.caption_id,) for sentence in found.sentences
    ]


@pytest.mark.parametrize("value", [True, False])
def test_sides_count_their_own_images(
    store: Any, monkeypatch: pytest.MonkeyPatch, value: bool
) -> None:
    shared(store, value)
    assert read_sides(store.engine, store.tabby, 5, 1.0) is None  # too few images
    monkeypatch.setattr(class_summary, "LEAST_IMAGES", 1)
    found = read_sides(store.engine, store.tabby, 5, 1.0)
    assert found is not None
    right, wrong = found
    assert right.sentences and wrong.sentences
    assert all(sentence.right for sentence in right.sentences)
    assert all(sentence.wrong for sentence in wrong.sentences)


def test_a_class_without_a_matrix_has_no_summary(store: Any) -> None:
    assert read_summary(store.engine, store.lynx, 5, 1.0) is None
    assert read_sides(store.engine, store.lynx, 5, 1.0) is None
