from typing import Any

import numpy as np
import pytest

from db import queries
from db.errors import StoreError


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


def test_images_are_kept_and_left_out_by_their_ids(store: Any) -> None:
    one, two, four = (store.images[f"tabby/{n}.jpg"] for n in (1, 2, 4))
    assert paths(store, store.tabby, only=[one, two]) == ["tabby/2.jpg", "tabby/1.jpg"]
    assert paths(store, store.tabby, only=[one, two], show="wrong") == ["tabby/2.jpg"]
    assert paths(store, store.tabby, only=[]) == []
    assert paths(store, store.tabby, without=[two, four]) == ["tabby/3.jpg", "tabby/1.jpg"]
    broken = store.images["lynx/broken.jpg"]
    assert paths(store, store.lynx, only=[broken]) == ["lynx/broken.jpg"]
    assert paths(store, store.lynx, without=[broken]) == ["lynx/2.jpg", "lynx/1.jpg"]


def test_paths_are_placed(store: Any) -> None:
    names = ["tabby/1.jpg", "lynx/broken.jpg"]
    assert queries.locate_images(store.engine, store.run_id, [*names, "none.jpg", "\udc80"]) == {
        names[0]: (store.images[names[0]], store.tabby),
        names[1]: (store.images[names[1]], store.lynx),
    }
    assert queries.locate_images(store.engine, store.run_id + 1, names) == {}
    assert queries.locate_images(store.engine, store.run_id, []) == {}


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
