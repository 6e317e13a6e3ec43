from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import text

from db import queries, writes
from db.rows import NewImage, NewPmi, NewRegion, NewRegions, NewRelevance, NewSummary


def forget(store: Any, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement))


def test_nothing_is_pending_when_all_is_done(store: Any, region: NewRegion) -> None:
    engine, run_id = store.engine, store.run_id
    assert queries.pending_predictions(engine, run_id) == []
    assert queries.pending_relevance(engine, run_id, ["true", "predicted"]) == []
    assert queries.pending_embeddings(engine, run_id, "pooled") == []
    assert queries.pending_captions(engine, run_id) == []
    # The maps of role `predicted` have not been looked through.
    left = queries.relevances_by_id(engine, queries.pending_regions(engine, run_id))
    assert {found.role for found in left} == {"predicted"}
    assert len(left) == 3


def test_predictions(store: Any) -> None:
    forget(store, "DELETE FROM prediction WHERE margin < 0")
    wanted = sorted(store.images[f"tabby/{i}.jpg"] for i in (2, 3, 4))
    # The unreadable image is never asked for.
    assert queries.pending_predictions(store.engine, store.run_id) == wanted


def test_relevance_of_other_roles_is_needed_for_errors_alone(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    wrong = sorted(store.images[f"tabby/{i}.jpg"] for i in (2, 3, 4))
    assert queries.pending_relevance(engine, run_id, ["true"]) == []
    assert queries.pending_relevance(engine, run_id, ["true", "contrast"]) == wrong
    new = NewRelevance(wrong[1], "contrast", store.lynx, np.ones((4, 4)))
    writes.add_relevance(engine, [new])
    assert queries.pending_relevance(engine, run_id, ["contrast"]) == [wrong[0], wrong[2]]
    forget(store, "DELETE FROM relevance WHERE role = 'true'")
    readable = sorted(i for path, i in store.images.items() if path != "lynx/broken.jpg")
    assert queries.pending_relevance(engine, run_id, ["true", "predicted"]) == readable
    forget(store, "DELETE FROM prediction")
    assert queries.pending_relevance(engine, run_id, ["true", "predicted"]) == []


def test_a_map_without_regions_is_done_and_a_new_map_is_not(store: Any, region: NewRegion) -> None:
    engine, run_id = store.engine, store.run_id
    [first, *rest] = queries.pending_regions(engine, run_id)
    writes.add_regions(engine, [NewRegions(first, [])])
    assert queries.pending_regions(engine, run_id) == rest
    [found] = queries.relevances_by_id(engine, [first])
    assert found.region_count == 0
    writes.add_regions(engine, [NewRegions(rest[0], [region]), NewRegions(rest[1], [region] * 2)])
    assert queries.pending_regions(engine, run_id) == []
    counts = [found.region_count for found in queries.relevances_by_id(engine, [first, *rest])]
    assert counts == [0, 1, 2]
    again = NewRelevance(found.image_id, found.role, found.target_class_id, np.ones((4, 4)))
    writes.add_relevance(engine, [again])
    assert queries.pending_regions(engine, run_id) == [first]


def test_regions_are_asked_for_image_by_image(store: Any, region: NewRegion) -> None:
    engine, run_id = store.engine, store.run_id
    maps = queries.pending_regions(engine, run_id)
    # Written last, so that their ids come last although their images do not.
    writes.add_regions(engine, [NewRegions(number, [region]) for number in maps])
    new = queries.pending_captions(engine, run_id)
    assert len(new) == 3
    every = queries.pending_embeddings(engine, run_id, "crop")
    images = [task.image_id for task in queries.region_tasks(engine, every)]
    assert images == sorted(images)
    assert len(every) == 10
    assert [task.id for task in queries.region_tasks(engine, every)] == every
    assert queries.pending_embeddings(engine, run_id, "pooled") == new
    writes.add_embeddings(engine, "crop", every[:4], np.ones((4, 2)))
    assert queries.pending_embeddings(engine, run_id, "crop") == every[4:]


def test_the_regions_of_an_image_that_became_unreadable_are_not_asked_for(store: Any) -> None:
    before = queries.pending_embeddings(store.engine, store.run_id, "crop")
    gone = {region.id for region in queries.regions(store.engine, store.images["tabby/1.jpg"])}
    writes.mark_unreadable(store.engine, [(store.images["tabby/1.jpg"], "gone")])
    after = queries.pending_embeddings(store.engine, store.run_id, "crop")
    assert set(before) - set(after) == gone


def empty_pmi(class_id: int) -> NewPmi:
    none, ids = np.empty(0), np.empty(0, np.int64)
    return NewPmi(class_id, ids, ids, np.empty((0, 0)), none, none, 0)


def test_matrices(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    assert queries.pending_pmi(engine, run_id) == [store.lynx, store.crane]
    # A class of unreadable or mute images has an empty matrix, and is done.
    writes.add_pmi(engine, empty_pmi(store.crane))
    writes.add_pmi(engine, empty_pmi(store.lynx))
    assert queries.pending_pmi(engine, run_id) == []
    found = queries.pmi(engine, store.crane)
    assert found is not None
    assert found.matrix.shape == (0, 0)


def test_a_class_that_has_grown_needs_its_matrix_again(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    writes.add_pmi(engine, empty_pmi(store.crane))
    writes.add_pmi(engine, empty_pmi(store.lynx))
    forget(store, f"DELETE FROM image WHERE id = {store.images['tabby/2.jpg']}")
    writes.aggregate_captions(engine, run_id)
    assert queries.pending_pmi(engine, run_id) == [store.tabby]


def test_summaries(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    # Classes without a matrix are not asked for.
    assert queries.pending_summaries(engine, run_id, [1, 2], 1.0) == []
    assert queries.pending_summaries(engine, run_id, [1, 2, 3], 1.0) == [store.tabby]
    assert queries.pending_summaries(engine, run_id, [1, 2], 0.5) == [store.tabby]
    writes.add_pmi(engine, empty_pmi(store.crane))
    assert queries.pending_summaries(engine, run_id, [1], 1.0) == [store.crane]
    writes.add_summaries(engine, [NewSummary(store.crane, 1, 1.0, [])])
    assert queries.pending_summaries(engine, run_id, [1, 1], 1.0) == []


def test_another_run_has_its_own_work(store: Any, spec: Any) -> None:
    other = writes.start_run(store.engine, replace(spec, config_hash="hash-2"))
    for pending in (
        queries.pending_predictions(store.engine, other),
        queries.pending_relevance(store.engine, other, ["true"]),
        queries.pending_regions(store.engine, other),
        queries.pending_embeddings(store.engine, other, "crop"),
        queries.pending_captions(store.engine, other),
        queries.pending_pmi(store.engine, other),
        queries.pending_summaries(store.engine, other, [1], 1.0),
    ):
        assert pending == []
    writes.add_images(store.engine, store.run_id, [NewImage("new.jpg", store.crane)])
    assert queries.pending_predictions(store.engine, other) == []
