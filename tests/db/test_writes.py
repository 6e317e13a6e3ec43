from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from db import queries, writes
from db.engine import writing
from db.rows import (
    NewCaption,
    NewImage,
    NewPrediction,
    NewRegion,
    NewRegions,
    NewRelevance,
)
from tests.stores import digest

# One store serves all examples of a test; a busy machine is no failure.
PATIENT = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ANY_TEXT = st.text(max_size=50)


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without the dates."""
    with engine.connect() as connection:
        names = connection.execute(
            text("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%fts%'")
        ).scalars()
        return {
            name: sorted(
                (tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")),
                key=repr,
            )
            for name in names
            if name != "run"
        }


def count(engine: Engine, table: str, where: str = "1") -> int:
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar()
    return int(found or 0)


def test_writing_everything_again_changes_nothing(store: Any) -> None:
    engine = store.engine
    before = dump(engine)
    images = [queries.image(engine, number) for number in store.images.values()]
    writes.add_images(
        engine,
        store.run_id,
        [
            NewImage(
                path=image.path,
                class_id=image.class_id,
                content_hash=image.content_hash,
                width=image.width,
                height=image.height,
                file_size=1000 if image.width else None,
                box=(1.0, 2.0, 3.0, 4.0) if image.path == "tabby/1.jpg" else None,
                thumbnail=b"RIFF" + image.path.encode() if image.width else None,
                error=None if image.width else "not a picture",
            )
            for image in images
        ],
    )
    writes.aggregate_accuracy(engine, store.run_id)
    writes.aggregate_captions(engine, store.run_id)
    for image_id in store.images.values():
        for found in queries.regions(engine, image_id):
            if found.caption is not None:
                again = NewCaption(
                    found.id, found.caption, 6, -1.0, 0.3, is_empty=found.caption == "."
                )
                writes.add_captions(engine, store.run_id, [again])
                writes.add_embeddings(engine, "pooled", [found.id], np.array([[0.0, 3.0, 4.0]]))
    assert dump(engine) == before


def test_empty_batches_are_harmless(store: Any) -> None:
    engine = store.engine
    before = dump(engine)
    writes.add_images(engine, store.run_id, [])
    writes.mark_unreadable(engine, [])
    writes.set_class_texts(engine, [])
    writes.add_predictions(engine, [])
    writes.add_relevance(engine, [])
    writes.add_regions(engine, [])
    writes.add_embeddings(engine, "pooled", [], np.empty((0, 3)))
    writes.add_captions(engine, store.run_id, [])
    writes.add_summaries(engine, [])
    assert dump(engine) == before


def test_a_changed_file_loses_what_was_computed_from_it(store: Any) -> None:
    engine, image_id = store.engine, store.images["tabby/2.jpg"]
    kept = queries.image(engine, store.images["tabby/1.jpg"])
    changed = NewImage("tabby/2.jpg", store.tabby, "another digest", 64, 48, 900)
    writes.add_images(engine, store.run_id, [changed])
    again = queries.image_by_path(engine, store.run_id, "tabby/2.jpg")
    assert (again.content_hash, again.margin) == ("another digest", None)
    assert not queries.stored_images(engine, store.run_id, "pooled")["tabby/2.jpg"].whole
    if again.id != image_id:
        assert count(engine, "region", f"image_id = {image_id}") == 0
    assert count(engine, "relevance", f"image_id = {again.id}") == 0
    assert queries.thumbnails(engine, [again.id]) == {}
    assert queries.image(engine, kept.id) == kept


def test_a_file_that_moved_to_another_class_loses_its_prediction(store: Any) -> None:
    moved = NewImage("tabby/2.jpg", store.lynx, digest("tabby/2.jpg"), 64, 48, 1000)
    writes.add_images(store.engine, store.run_id, [moved])
    found = queries.image_by_path(store.engine, store.run_id, "tabby/2.jpg")
    assert (found.class_id, found.correct) == (store.lynx, None)


def test_an_image_that_fails_later_is_asked_for_no_more(store: Any) -> None:
    engine = store.engine
    new = NewImage("tabby/5.jpg", store.tabby, "digest", 10, 10, 100)
    [pending] = writes.add_images(engine, store.run_id, [new])
    assert not queries.stored_images(engine, store.run_id, "pooled")[new.path].whole
    writes.mark_unreadable(engine, [(pending, "cut off in the middle")])
    assert queries.stored_images(engine, store.run_id, "pooled")[new.path].whole
    assert queries.image(engine, pending).error == "cut off in the middle"


def test_what_is_written_in_a_transaction_is_stored_whole_or_not_at_all(store: Any) -> None:
    new = NewImage("tabby/9.jpg", store.tabby, "digest", 10, 10, 100)
    before = dump(store.engine)
    with pytest.raises(ZeroDivisionError), writing(store.engine) as transaction:
        [image_id] = writes.add_images(transaction, store.run_id, [new])
        said = NewPrediction(image_id, [(store.tabby, 1.0, 9.0)], 1.0, 1, 9.0)
        writes.add_predictions(transaction, [said])
        writes.add_relevance(
            transaction, [NewRelevance(image_id, "true", store.tabby, np.ones((4, 4)))]
        )
        raise ZeroDivisionError
    assert dump(store.engine) == before


def test_boxes_are_set_without_touching_what_was_computed(store: Any) -> None:
    engine = store.engine
    one, two = store.images["tabby/1.jpg"], store.images["lynx/1.jpg"]
    before = {number: queries.image(engine, number) for number in (one, two)}
    writes.set_boxes(engine, {one: None, two: (5.0, 6.0, 7.0, 8.0)})
    writes.set_boxes(engine, {})
    assert before[one].box == (1.0, 2.0, 3.0, 4.0)
    assert queries.image(engine, one) == replace(before[one], box=None)
    assert queries.image(engine, two) == replace(before[two], box=(5.0, 6.0, 7.0, 8.0))
    assert queries.image(engine, store.images["lynx/2.jpg"]).box is None


def test_features_are_normalised_and_their_norm_is_kept(store: Any) -> None:
    found = queries.image_features(store.engine, [*store.images.values()])
    assert found.vectors.shape == (6, 3)
    assert np.allclose(found.vectors, [0.6, 0.0, 0.8], atol=1e-3)
    assert found.norms.tolist() == [5.0] * 6
    assert np.allclose(found.features(), [3.0, 0.0, 4.0], rtol=1e-3)


def test_a_feature_of_zeros_stays_one_and_nan_is_refused(store: Any) -> None:
    [first, *_] = queries.regions(store.engine, store.images["tabby/1.jpg"])
    writes.add_embeddings(store.engine, "crop", [first.id], np.zeros((1, 3)))
    found = queries.region_features(store.engine, [first.id], "crop")
    assert found.features().tolist() == [[0.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="NaN"):
        writes.add_embeddings(store.engine, "crop", [first.id], np.full((1, 3), np.nan))
    with pytest.raises(ValueError, match="zip"):
        writes.add_embeddings(store.engine, "crop", [first.id], np.zeros((2, 3)))


def test_a_weak_relevance_map_survives_half_precision(store: Any) -> None:
    image_id = store.images["tabby/1.jpg"]
    found = queries.relevances(store.engine, [image_id])[image_id]["true"]
    wanted = np.arange(16).reshape(4, 4) * 1e-7
    assert found.raw_max == pytest.approx(15e-7)
    assert found.raw_mass == pytest.approx(120e-7)
    assert np.allclose(found.grid.astype(float) * found.raw_max, wanted, rtol=1e-3)


def test_an_all_zero_map_is_stored(store: Any) -> None:
    image_id = store.images["lynx/1.jpg"]
    writes.add_relevance(
        store.engine, [NewRelevance(image_id, "contrast", store.crane, np.zeros((2, 3)))]
    )
    found = queries.relevances(store.engine, [image_id])[image_id]["contrast"]
    assert found.grid.tolist() == [[0.0] * 3] * 2
    assert (found.raw_max, found.raw_mass, found.region_count) == (0.0, 0.0, None)


def test_a_map_with_nan_is_refused(store: Any) -> None:
    new = NewRelevance(store.images["lynx/1.jpg"], "contrast", store.crane, np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        writes.add_relevance(store.engine, [new])


def test_fewer_regions_take_the_place_of_more(store: Any, region: NewRegion) -> None:
    engine, image_id = store.engine, store.images["tabby/1.jpg"]
    relevance = queries.relevances(engine, [image_id])[image_id]["true"]
    first, second = queries.regions(engine, image_id)
    writes.add_regions(engine, [NewRegions(relevance.id, [region])])
    [left] = queries.regions(engine, image_id)
    assert left.id == first.id
    assert left.caption == "a grey cat."
    assert count(engine, "embedding", f"region_id = {second.id}") == 0
    assert count(engine, "region_caption", f"region_id = {second.id}") == 0
    again = queries.relevances(engine, [image_id])[image_id]["true"]
    assert again.region_count == 1


def test_a_region_comes_back_as_it_was_given(store: Any, region: NewRegion) -> None:
    [first, *_] = queries.regions(store.engine, store.images["tabby/1.jpg"])
    assert first.box == region.box
    assert (first.area_share, first.mass_share, first.rank) == (0.25, 0.5, 1)
    assert np.array_equal(first.patch_mask, region.patch_mask)
    assert np.array_equal(first.mask, region.mask)


@PATIENT
@given(path=ANY_TEXT, error=ANY_TEXT)
def test_paths_and_errors_may_hold_anything(store: Any, path: str, error: str) -> None:
    writes.add_images(store.engine, store.run_id, [NewImage(path, store.crane, error=error)])
    found = queries.image_by_path(store.engine, store.run_id, path)
    assert (found.path, found.error) == (path, error)


def test_a_path_that_is_no_unicode_is_kept_apart(store: Any) -> None:
    broken = [NewImage(path, store.crane) for path in ("bad\udc80.jpg", "bad\udc81.jpg")]
    writes.add_images(store.engine, store.run_id, broken)
    found = queries.images(store.engine, store.crane)
    assert [image.path for image in found] == ["bad\\udc80.jpg", "bad\\udc81.jpg"]


def test_the_predictions_decide_what_is_right(store: Any) -> None:
    image_id = store.images["tabby/2.jpg"]
    assert queries.image(store.engine, image_id).correct is False
    right = NewPrediction(image_id, [(store.tabby, 0.5, 1.0)], 0.5, 1, 0.5)
    writes.add_predictions(store.engine, [right])
    found = queries.image(store.engine, image_id)
    assert (found.correct, found.predicted_name, found.margin) == (True, "tabby", 0.5)
    assert [top.name for top in queries.top_classes(store.engine, image_id)] == ["tabby"]


def test_a_run_takes_everything_along(store: Any) -> None:
    engine = store.engine
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM run"))
        left = connection.execute(text("SELECT count(*) FROM caption_fts")).scalar()
        connection.execute(text("INSERT INTO caption_fts (caption_fts) VALUES ('integrity-check')"))
    assert left == 0
    tables = dump(engine)
    assert all(rows == [] for rows in tables.values()), tables


def test_a_batch_with_a_stranger_is_refused_whole(store: Any) -> None:
    before = dump(store.engine)
    good = NewImage("new.jpg", store.crane)
    bad = NewImage("newer.jpg", 999_999)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        writes.add_images(store.engine, store.run_id, [good, bad])
    assert dump(store.engine) == before
