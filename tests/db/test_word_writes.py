from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import queries, writes
from db.records import WordScore
from db.rows import (
    NewCaption,
    NewPmi,
    NewSentence,
    NewSummary,
)

# One store serves all examples of a test; a busy machine is no failure.
PATIENT = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY_TEXT = st.text(max_size=50)


@PATIENT
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_captions_of_any_text_come_back_once_each(store: Any, texts: list[str]) -> None:
    engine = store.engine
    ids = [
        region.id
        for image_id in store.images.values()
        for region in queries.regions(engine, image_id)
    ][: len(texts)]
    new = [NewCaption(region_id, text, 1, -1.0) for region_id, text in zip(ids, texts, strict=True)]
    writes.add_captions(engine, store.run_id, new)
    found = queries.regions_by_id(engine, ids)
    assert [region.caption for region in found] == texts
    assert len({region.caption_id for region in found}) == len(set(texts))


def test_a_new_matrix_takes_the_old_summaries_along(store: Any) -> None:
    engine = store.engine
    stored = queries.pmi(engine, store.tabby)
    assert stored is not None
    new = NewPmi(
        class_id=store.tabby,
        caption_ids=stored.caption_ids,
        counts=stored.counts,
        matrix=stored.matrix.astype(np.float64) + 1,
        surprisal=stored.surprisal,
        relevance=stored.relevance,
        distinct_total=9,
    )
    writes.add_pmi(engine, new)
    again = queries.pmi(engine, store.tabby)
    assert again is not None
    assert again.matrix.dtype == np.float32
    assert np.array_equal(again.matrix, stored.matrix + 1)
    assert again.distinct_total == 9
    assert queries.summaries(engine, store.tabby) == []
    writes.add_pmi(engine, replace(new, matrix=stored.matrix.astype(np.float16)))
    half = queries.pmi(engine, store.tabby)
    assert half is not None
    assert half.matrix.dtype == np.float16


def test_a_shorter_summary_takes_the_place_of_a_longer(store: Any) -> None:
    engine = store.engine
    old = queries.summary(engine, store.tabby, 2, 1.0)
    assert old is not None
    last = old.sentences[-1].caption_id
    writes.add_summaries(
        engine, [NewSummary(store.tabby, 2, 1.0, [NewSentence(last, 1.0, 0.0, 1.0)])]
    )
    new = queries.summary(engine, store.tabby, 2, 1.0)
    assert new is not None
    assert new.id == old.id
    assert [sentence.caption_id for sentence in new.sentences] == [last]
    first = queries.class_record(engine, store.tabby).first_sentence
    assert first == new.sentences[0].text


def test_an_empty_summary_is_a_summary(store: Any) -> None:
    writes.add_summaries(store.engine, [NewSummary(store.crane, 3, 0.5, [])])
    found = queries.summary(store.engine, store.crane, 3, 0.5)
    assert found is not None
    assert found.sentences == ()


def test_words_take_the_place_of_the_same_kind(store: Any) -> None:
    engine, tabby = store.engine, store.tabby
    writes.add_word_scores(engine, tabby, "relevance", [WordScore("old", 1.0, 1)])
    writes.add_word_scores(engine, tabby, "errors", [WordScore("kept", 1.0, 1)])
    new = [WordScore("low", -1.0, 2), WordScore("high", 2.5, 3)]
    writes.add_word_scores(engine, tabby, "relevance", new)
    assert queries.word_scores(engine, tabby, "relevance") == new[::-1]
    assert [word.word for word in queries.word_scores(engine, tabby, "errors")] == ["kept"]
