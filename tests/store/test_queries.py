from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from db import queries, writes
from db.batches import NewClass, NewImage, NewPrediction, NewSummary
from db.codecs import encode_array
from db.errors import StoreError
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
    assert [(token.token, token.score) for token in tokens] == [("a", 0.25), ("name", 0.75)]
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


def paths(store: Any, class_id: int, **options: Any) -> list[str]:
    return [image.path for image in queries.images(store.engine, class_id, **options)]


def test_images_come_by_margin(store: Any) -> None:
    # Equal margins are told apart by id; the unreadable image ends its class's list.
    worst_first = ["tabby/3.jpg", "tabby/4.jpg", "tabby/2.jpg", "tabby/1.jpg"]
    assert paths(store, store.tabby) == worst_first
    assert paths(store, store.tabby, descending=True) == worst_first[::-1]
    assert paths(store, store.lynx) == ["lynx/2.jpg", "lynx/1.jpg", "lynx/broken.jpg"]
    assert paths(store, store.crane) == []


def test_images_are_filtered(store: Any) -> None:
    assert paths(store, store.tabby, show="right") == ["tabby/1.jpg"]
    assert paths(store, store.tabby, show="wrong") == ["tabby/3.jpg", "tabby/4.jpg", "tabby/2.jpg"]
    assert paths(store, store.tabby, wrong_as=store.crane) == ["tabby/4.jpg"]
    assert paths(store, store.lynx, show="right") == ["lynx/2.jpg", "lynx/1.jpg"]
    assert paths(store, store.lynx, show="wrong") == []


@pytest.mark.parametrize("show", ["all", "right", "wrong"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_join_into_the_whole_list(
    store: Any, show: Any, descending: bool, limit: int
) -> None:
    for class_id in (store.tabby, store.lynx, store.crane):
        whole = queries.images(store.engine, class_id, show=show, descending=descending)
        paged: list[Any] = []
        after = None
        while True:
            page = queries.images(
                store.engine,
                class_id,
                show=show,
                descending=descending,
                after=after,
                limit=limit,
            )
            paged += page
            if len(page) < limit:
                break
            after = (page[-1].margin, page[-1].id)
        assert paged == whole


def test_an_image_and_its_best_classes(store: Any) -> None:
    image = queries.image_by_path(store.engine, store.run_id, "tabby/2.jpg")
    assert image == queries.image(store.engine, store.images["tabby/2.jpg"])
    assert (image.class_name, image.predicted_name) == ("tabby", "lynx")
    assert (image.correct, image.true_rank, image.margin) == (False, 2, -1.0)
    assert (image.width, image.height, image.file_size) == (64, 48, 1000)
    assert image.box is None
    boxed = queries.image(store.engine, store.images["tabby/1.jpg"])
    assert boxed.box == (1.0, 2.0, 3.0, 4.0)
    top = queries.top_classes(store.engine, image.id)
    assert [(t.rank, t.name, t.probability, t.logit) for t in top] == [
        (1, "lynx", 0.6, 5.0),
        (2, "crane", 0.3, 4.0),
    ]
    broken = queries.image(store.engine, store.images["lynx/broken.jpg"])
    assert (broken.error, broken.correct, broken.margin) == ("not a picture", None, None)
    with pytest.raises(StoreError, match="no image 99"):
        queries.image(store.engine, 99)


def test_an_image_is_found_by_the_end_of_its_path(store: Any) -> None:
    assert queries.image_by_path(store.engine, store.run_id, "broken.jpg").class_name == "lynx"
    with pytest.raises(StoreError, match="several images"):
        queries.image_by_path(store.engine, store.run_id, "1.jpg")
    for path in ("roken.jpg", "%.jpg", "x" * 100_000):
        with pytest.raises(StoreError, match="no image"):
            queries.image_by_path(store.engine, store.run_id, path)


def test_pictures_and_maps_of_many_images(store: Any) -> None:
    ids = list(store.images.values())
    thumbnails = queries.thumbnails(store.engine, ids)
    assert len(thumbnails) == 6
    assert thumbnails[store.images["lynx/1.jpg"]] == b"RIFFlynx/1.jpg"
    maps = queries.relevances(store.engine, ids)
    assert set(maps) == set(ids)
    assert set(maps[store.images["tabby/1.jpg"]]) == {"true"}
    wrong = maps[store.images["tabby/2.jpg"]]
    assert {role: found.target_name for role, found in wrong.items()} == {
        "true": "tabby",
        "predicted": "lynx",
    }
    assert maps[store.images["lynx/broken.jpg"]] == {}


def test_more_ids_than_a_statement_has_parameters(store: Any) -> None:
    ids = list(range(1, 50_000))
    assert len(queries.thumbnails(store.engine, ids)) == 6
    assert len(queries.image_tasks(store.engine, ids)) == 7


def test_tasks_carry_what_the_stages_need(store: Any) -> None:
    tasks = queries.image_tasks(store.engine, sorted(store.images.values(), reverse=True))
    assert [task.id for task in tasks] == sorted(store.images.values())
    wrong = next(task for task in tasks if task.path == "tabby/4.jpg")
    assert (wrong.class_position, wrong.predicted_position) == (0, 2)
    assert (wrong.class_id, wrong.predicted_class_id) == (store.tabby, store.crane)
    broken = next(task for task in tasks if task.path == "lynx/broken.jpg")
    assert (broken.predicted_position, broken.width) == (None, None)
    known = queries.known_images(store.engine, store.run_id)
    assert known["tabby/1.jpg"] == (store.tabby, "digest of tabby/1.jpg")
    assert known["lynx/broken.jpg"] == (store.lynx, None)
    assert len(known) == 7


def test_region_tasks_keep_the_regions_of_an_image_together(store: Any) -> None:
    regions = [
        region
        for path in ("tabby/1.jpg", "tabby/2.jpg")
        for region in queries.regions(store.engine, store.images[path])
    ]
    tasks = queries.region_tasks(store.engine, [region.id for region in regions][::-1])
    assert [task.id for task in tasks] == [region.id for region in regions]
    for task, region in zip(tasks, regions, strict=True):
        assert (task.path, task.role, task.rank, task.box) == (
            region.path,
            region.role,
            region.rank,
            region.box,
        )
        assert np.array_equal(task.mask, region.mask)
        assert np.array_equal(task.patch_mask, region.patch_mask)


def test_regions_by_id_keep_the_order_and_leave_out_strangers(store: Any) -> None:
    first, second = queries.regions(store.engine, store.images["tabby/1.jpg"])
    found = queries.regions_by_id(store.engine, [second.id, 10**9, first.id])
    assert [region.id for region in found] == [second.id, first.id]
    assert (found[0].caption, found[0].log_probability) == ("green leaves.", -1.5)
    assert (found[0].cosine, found[0].class_name, found[0].correct) == (0.25, "tabby", True)


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
    found = queries.caption_regions(store.engine, cat.caption_id, class_id=store.tabby)
    assert [region.path for region in found] == ["tabby/1.jpg", "tabby/2.jpg", "tabby/2.jpg"]
    rest = queries.caption_regions(
        store.engine, cat.caption_id, class_id=store.tabby, after=found[0].id, limit=1
    )
    assert [region.id for region in rest] == [found[1].id]
    other = queries.caption_regions(store.engine, cat.caption_id, class_id=store.lynx)
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


def test_two_runs_in_one_file_do_not_meet(store: Any, spec: Any) -> None:
    before = queries.counts(store.engine, store.run_id)
    other = writes.start_run(store.engine, replace(spec, config_hash="hash-2"))
    [tabby] = writes.add_classes(store.engine, other, [NewClass(0, "tabby", "n01")])
    writes.add_images(store.engine, other, [NewImage("tabby/1.jpg", tabby, "digest")])
    [pending] = queries.pending_predictions(store.engine, other)
    writes.add_predictions(store.engine, [NewPrediction(pending, [(tabby, 1.0, 9.0)], 1.0, 1, 9.0)])
    writes.aggregate_accuracy(store.engine, other)
    writes.aggregate_captions(store.engine, other)
    assert queries.counts(store.engine, store.run_id) == before
    assert queries.class_by_name(store.engine, other, "tabby").accuracy == 1.0
    assert queries.image_by_path(store.engine, store.run_id, "tabby/1.jpg").class_id == store.tabby
    assert queries.image_by_path(store.engine, other, "tabby/1.jpg").class_id == tabby
    assert queries.search_captions(store.engine, other, "cat") == []
    assert [run.id for run in queries.runs(store.engine)] == [other, store.run_id]
