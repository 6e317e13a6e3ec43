from typing import Any

import numpy as np
import pytest

from db import queries, writes
from db.codecs import encode_array
from db.errors import StoreError
from db.rows import NewSummary


def test_regions_by_id_keep_the_order_and_leave_out_strangers(store: Any) -> None:
    first, second = queries.regions(store.engine, store.images["tabby/1.jpg"])
    found = queries.regions_by_id(store.engine, [second.id, 10**9, first.id])
    assert [region.id for region in found] == [second.id, first.id]
    assert (found[0].caption, found[0].log_probability) == ("green leaves.", -1.0)
    assert (found[0].cosine, found[0].class_name, found[0].correct) == (0.3, "tabby", True)


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_embeddings_come_in_chunks_that_join(store: Any, chunk: int) -> None:
    chunks = list(queries.region_embeddings(store.engine, store.run_id, "pooled", chunk=chunk))
    ids = np.concatenate([part.ids for part in chunks])
    assert ids.tolist() == sorted(set(ids.tolist()))
    assert len(ids) == 7
    assert all(len(part.ids) <= chunk for part in chunks)
    for part in chunks:
        assert np.allclose(part.vectors, [0.0, 0.6, 0.8], atol=1e-3)
        assert part.norms.tolist() == [5.0] * len(part.ids)
    assert list(queries.region_embeddings(store.engine, store.run_id, "crop")) == []
    assert list(queries.region_embeddings(store.engine, 99, "pooled")) == []


def test_embeddings_of_unlike_length_are_an_error_of_the_store(store: Any) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE embedding SET vector = ? WHERE region_id = (SELECT max(id) FROM region)",
            (encode_array(np.zeros(2, np.float16)),),
        )
    with pytest.raises(StoreError, match="differ in length"):
        list(queries.region_embeddings(store.engine, store.run_id, "pooled"))


def test_captions_of_a_class(store: Any) -> None:
    found = queries.captions(store.engine, store.tabby)
    counted = {c.text: (c.count, c.right, c.wrong) for c in found}
    # 2.jpg has the same caption twice: two regions, one wrong image.
    assert counted == {
        "a grey cat.": (3, 1, 1),
        "green leaves.": (1, 1, 0),
        "a Café chair.": (1, 0, 1),
        ".": (1, 0, 1),
    }
    assert found[0].text == "a grey cat."
    assert {c.text for c in found if c.is_empty} == {"."}
    assert not any(c.selected for c in found)
    assert [c.artefact for c in found] == [None] * 4
    assert [c.text for c in queries.captions(store.engine, store.lynx)] == ["a grey cat."]


def test_captions_say_what_a_summary_chose_and_come_in_pages(store: Any) -> None:
    summary = queries.summary(store.engine, store.tabby, 2, 1.0)
    assert summary is not None
    whole = queries.captions(store.engine, store.tabby, summary_id=summary.id)
    chosen = {sentence.text for sentence in summary.sentences}
    assert {c.text for c in whole if c.selected} == chosen
    paged: list[Any] = []
    after = None
    while page := queries.captions(
        store.engine, store.tabby, summary_id=summary.id, after=after, limit=1
    ):
        paged += page
        after = (page[-1].count, page[-1].caption_id)
    assert paged == whole


def test_the_regions_behind_a_caption(store: Any) -> None:
    cat = queries.captions(store.engine, store.tabby)[0]
    found = queries.caption_regions(store.engine, [cat.caption_id], class_id=store.tabby)
    assert [region.path for region in found] == ["tabby/1.jpg", "tabby/2.jpg", "tabby/2.jpg"]
    rest = queries.caption_regions(
        store.engine, [cat.caption_id], class_id=store.tabby, after=found[0].id, limit=1
    )
    assert [region.id for region in rest] == [found[1].id]
    other = queries.caption_regions(store.engine, [cat.caption_id], class_id=store.lynx)
    assert [region.path for region in other] == ["lynx/1.jpg"]


def test_the_matrix_and_its_texts(store: Any) -> None:
    found = queries.pmi(store.engine, store.tabby)
    assert found is not None
    candidates = queries.pmi_candidates(store.engine, store.tabby)
    assert found.texts == tuple(candidate.text for candidate in candidates)
    assert "." not in found.texts
    assert found.counts.tolist() == [3, 1, 1]
    assert found.matrix.tolist() == np.arange(9.0).reshape(3, 3).tolist()
    assert found.surprisal.tolist() == [1.0] * 3
    assert found.distinct_total == 3
    assert found.right.tolist() == [candidate.right for candidate in candidates]
    assert found.wrong.tolist() == [candidate.wrong for candidate in candidates]
    assert found.class_total == len(queries.classes(store.engine, store.run_id))
    held = [
        sum(
            candidate.caption_id in {c.caption_id for c in queries.captions(store.engine, each.id)}
            for each in queries.classes(store.engine, store.run_id)
        )
        for candidate in candidates
    ]
    assert found.classes.tolist() == held
    assert found.config == queries.run(store.engine, store.run_id).config
    assert queries.pmi(store.engine, store.lynx) is None


@pytest.mark.parametrize(
    ("column", "array"),
    [
        ("matrix", np.zeros((3, 2), np.float32)),
        ("counts", np.zeros(2, np.int64)),
        ("caption_ids", np.array([1, 2, 10**9], np.int64)),
        ("surprisal", np.zeros(4, np.float32)),
    ],
)
def test_a_matrix_whose_parts_do_not_fit_is_an_error_of_the_store(
    store: Any, column: str, array: Any
) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE pmi SET {column} = ?", (encode_array(array),))
    with pytest.raises(StoreError, match="is damaged"):
        queries.pmi(store.engine, store.tabby)


def test_a_summary_with_its_figures(store: Any) -> None:
    found = queries.summary(store.engine, store.tabby, 2, 1.0)
    assert found is not None
    first, second = found.sentences
    assert (first.position, first.text, first.count) == (0, "a grey cat.", 3)
    assert (first.right, first.wrong) == (1, 1)
    assert (first.relevance, first.penalty, first.score) == (3.0, 0.0, 3.0)
    assert (second.relevance, second.penalty, second.score) == (2.0, 0.5, 1.5)
    assert queries.summary(store.engine, store.tabby, 3, 1.0) is None
    assert queries.summary(store.engine, store.tabby, 2, 0.5) is None
    writes.add_summaries(store.engine, [NewSummary(store.tabby, 1, 0.25, [])])
    assert queries.summaries(store.engine, store.tabby) == [(1, 0.25), (1, 1.0), (2, 1.0)]


def test_the_images_behind_captions(store: Any) -> None:
    cat = queries.captions(store.engine, store.tabby)[0]
    found = queries.images_of_captions(store.engine, store.tabby, [cat.caption_id, 10**9])
    images = {queries.image(store.engine, number).path: right
              for number, right in found[cat.caption_id]}  # fmt: skip
    assert set(images) == {"tabby/1.jpg", "tabby/2.jpg"}
    assert sum(images.values()) == cat.right
    assert found[10**9] == []
