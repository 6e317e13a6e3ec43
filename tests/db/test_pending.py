from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from db import queries, writes
from db.records import Role
from db.rows import NewPmi, NewRegion, NewRegions, NewRelevance, NewSummary


def forget(store: Any, statement: str) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement))


def pending_images(store: Any, representation: str = "pooled") -> set[str]:
    stored = queries.stored_images(store.engine, store.run_id, representation)
    return {path for path, image in stored.items() if not image.whole}


def finish(store: Any, region: NewRegion) -> None:
    """Give every image what a pass gives it."""
    engine = store.engine
    for path, image_id in store.images.items():
        found = queries.image(engine, image_id)
        if found.error is not None:
            continue
        roles: list[Role] = ["true"] if found.correct else ["true", "predicted", "contrast"]
        maps = [NewRelevance(image_id, role, store.tabby, np.ones((4, 4))) for role in roles]
        ids = writes.add_relevance(engine, maps)
        regions = writes.add_regions(engine, [NewRegions(i, [region] * 2) for i in ids])
        assert len(set(regions)) == 2 * len(roles), path
        writes.add_embeddings(engine, "pooled", regions, np.ones((len(regions), 3)))


def test_an_image_is_whole_when_all_of_its_pass_is_stored(store: Any, region: NewRegion) -> None:
    wrong = {f"tabby/{i}.jpg" for i in (2, 3, 4)}
    # The contrasts of the errors are missing; the unreadable image is never asked for.
    assert pending_images(store) == wrong
    finish(store, region)
    assert pending_images(store) == set()
    assert pending_images(store, "crop") == store.images.keys() - {"lynx/broken.jpg"}


@pytest.mark.parametrize(
    "lost",
    [
        "DELETE FROM prediction WHERE image_id = :image",
        "DELETE FROM relevance WHERE image_id = :image AND role = 'contrast'",
        "UPDATE relevance SET region_count = NULL WHERE image_id = :image AND role = 'true'",
        "DELETE FROM embedding WHERE region_id ="
        " (SELECT max(id) FROM region WHERE image_id = :image)",
    ],
)
def test_an_image_that_lacks_something_is_pending(store: Any, region: NewRegion, lost: str) -> None:
    finish(store, region)
    forget(store, lost.replace(":image", str(store.images["tabby/3.jpg"])))
    assert pending_images(store) == {"tabby/3.jpg"}


def test_a_map_without_regions_is_done(store: Any, region: NewRegion) -> None:
    finish(store, region)
    new = NewRelevance(store.images["tabby/1.jpg"], "true", store.tabby, np.ones((4, 4)))
    [number] = writes.add_relevance(store.engine, [new])
    assert pending_images(store) == {"tabby/1.jpg"}
    assert writes.add_regions(store.engine, [NewRegions(number, [])]) == []
    assert pending_images(store) == set()


def test_regions_are_asked_for_image_by_image(store: Any, region: NewRegion) -> None:
    engine, run_id = store.engine, store.run_id
    assert queries.pending_captions(engine, run_id) == []
    finish(store, region)
    new = queries.pending_captions(engine, run_id)
    tasks = queries.region_tasks(engine, new)
    assert [task.id for task in tasks] == new
    images = [task.image_id for task in tasks]
    assert images == sorted(images) and len(new) > 3
    gone = {r.id for r in queries.regions(engine, store.images["tabby/2.jpg"])} & set(new)
    writes.mark_unreadable(engine, [(store.images["tabby/2.jpg"], "gone")])
    assert gone and set(new) - set(queries.pending_captions(engine, run_id)) == gone


def test_a_stage_that_is_done_has_as_much_as_it_has_in_all(store: Any, region: NewRegion) -> None:
    finish(store, region)
    engine, run_id = store.engine, store.run_id
    captioned = sum(
        region.caption is not None
        for image_id in store.images.values()
        for region in queries.regions(engine, image_id)
    )
    pending = queries.pending_captions(engine, run_id)
    assert captioned + len(pending) == queries.region_count(engine, run_id)
    writes.mark_unreadable(engine, [(store.images["tabby/2.jpg"], "gone")])
    assert queries.region_count(engine, run_id) == captioned + len(pending) - 6
    assert queries.region_count(engine, run_id + 1) == 0


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
        queries.pending_captions(store.engine, other),
        queries.pending_pmi(store.engine, other),
        queries.pending_summaries(store.engine, other, [1], 1.0),
    ):
        assert pending == []
    assert queries.stored_images(store.engine, other, "pooled") == {}
