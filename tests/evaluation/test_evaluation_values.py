"""From a store counted by hand to values, figures and correlations."""

from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import Engine

from db import queries, writes
from db.records import ClassCaption
from db.rows import NewCaption, RunSpec
from mapcap.config import IndexConfig
from mapcap.evaluation.reading import (
    Boxed,
    Captioned,
    Maps,
    draw_images,
    predicted_images,
    read_class,
    sight_of,
)
from mapcap.evaluation.storing import run_figure, store_correlations, store_values
from mapcap.evaluation.values import (
    box_values,
    caption_values,
    class_values,
    cosine_values,
    map_values,
    rank_values,
    summary_embedding,
    summary_values,
)
from mapcap.networks.geometry import Sight
from tests.db.conftest import Store
from tests.stores import Photo, write_run

SIGHT = Sight((32, 32), "shortest")
CONFIG = IndexConfig(photos="photos", sentences=2)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Give each text a direction of its own."""
    directions = {"a grey cat.": [0.0, 0.6, 0.8], "green leaves.": [1.0, 0, 0]}
    return np.array([directions.get(text, [0, 1.0, 0]) for text in texts], np.float32)


def caption(text: str, count: int, *, artefact: bool | None, empty: bool = False) -> ClassCaption:
    return ClassCaption(hash(text), text, count, count, 0, empty, artefact, False)


def test_material_is_what_the_store_holds(store: Store) -> None:
    found = read_class(store.engine, store.tabby, CONFIG, SIGHT)
    assert (found.predicted, found.distinct_captions) == (4, 3)
    assert found.maps.grids.shape == (4, 4, 4)
    assert found.maps.region_counts.tolist() == [2, 2, 1, 1]
    assert found.maps.strengths == pytest.approx([120e-7] * 4)
    assert sorted(c.text for c in found.captions) == [
        ".", "a Café chair.", "a grey cat.", "green leaves.",
    ]  # fmt: skip
    assert len(found.captioned.texts) == 6
    assert found.captioned.images == pytest.approx(np.array([[0.6, 0, 0.8]] * 6), abs=1e-3)
    assert len(found.summary) == 2


def test_boxes_are_seen_through_the_crop(store: Store) -> None:
    """A 64 x 48 picture: resized by 2/3 to 42 x 32, then its middle 32 columns."""
    found = read_class(store.engine, store.tabby, CONFIG, SIGHT).boxed
    assert found.grids.shape == (1, 4, 4)  # one image of the class has a box
    x0, y0, x1, y1 = found.boxes[0]
    assert (x0, x1) == (0.0, 0.0)  # pixels 1 to 3 are cut off
    assert (y0, y1) == pytest.approx((2 * 2 / 3, 4 * 2 / 3))


def test_sight_is_known_from_the_store(store: Store) -> None:
    run = queries.run(store.engine, store.run_id)
    assert sight_of(store.engine, run) == SIGHT


def test_sight_is_not_known_without_regions(engine: Engine, spec: RunSpec) -> None:
    run = queries.run(engine, writes.start_run(engine, spec))
    assert sight_of(engine, run) is None


def test_unreadable_images_are_left_out(store: Store) -> None:
    assert len(predicted_images(store.engine, store.lynx)) == 2


def test_large_classes_are_drawn_from_alike(store: Store) -> None:
    images = predicted_images(store.engine, store.tabby)
    first = draw_images(images, 2, (0, 7))
    assert len(first) == 2 and first == draw_images(images, 2, (0, 7))
    assert draw_images(images, 9, (0, 7)) == images
    assert len({tuple(i.id for i in draw_images(images, 2, (s, 7))) for s in range(30)}) == 6


def test_maps() -> None:
    grids = np.zeros((3, 4, 4), np.float32)
    grids[0], grids[1, 0, 0] = 1.0, 1.0
    found = map_values(Maps(grids, np.array([4.0, 1, 0]), np.array([1.0, 1, 0])))
    assert found["maps-empty"].tolist() == [0, 0, 1]
    assert found["map-entropy"] == pytest.approx([1.0, 1 / 16])
    assert map_values(Maps(grids[:0], np.empty(0), np.empty(0))) == {}


def test_empty_maps_and_useless_boxes_stand_aside() -> None:
    grids = np.zeros((4, 4, 4), np.float32)
    grids[:3, 0, 0] = 1
    boxes = np.array([[0, 0, 8, 8], [0, 0, 32, 31], [0, 0, 0, 0], [0, 0, 8, 8]], float)
    found = box_values(Boxed(grids, boxes), (32, 32), "half")
    assert found["boxes-excluded"].tolist() == [0, 1, 1, 0]
    assert found["pointing"].tolist() == found["energy"].tolist() == [1.0]


def test_captions_count_by_their_regions() -> None:
    captions = [
        caption("a cat.", 5, artefact=False),
        caption("a blurry thing.", 2, artefact=True),
        caption("a dog.", 1, artefact=False),
        caption(".", 2, artefact=False, empty=True),
    ]
    found = {name: value.item() for name, value in caption_values(captions).items()}
    assert found == pytest.approx(
        {"caption-empty": 0.2, "caption-distinct": 3 / 8, "caption-artefacts": 0.25}
    )
    assert caption_values([]) == {}


def test_captions_of_an_older_file_are_judged_now() -> None:
    captions = [
        caption("a blurry background.", 1, artefact=None),
        caption("a cat.", 3, artefact=None),
    ]
    assert caption_values(captions)["caption-artefacts"].tolist() == [0.25]


def test_cosines_with_the_region_and_the_whole() -> None:
    captioned = Captioned(
        ["green leaves.", "a grey cat.", "."],
        np.array([[0.6, 0.8, 0], [0, 0.6, 0.8], [1, 0, 0]], np.float16),
        np.array([[0, 0, 1]] * 3, np.float16),
    )
    found = cosine_values(captioned, embed)
    assert found["caption-cosine"] == pytest.approx([0.6, 1.0], abs=1e-3)
    assert found["caption-specificity"] == pytest.approx([0.6, 0.2], abs=1e-3)


def test_a_summary_is_held_against_its_captions() -> None:
    captions = [caption("x", 9, artefact=True), caption("y", 1, artefact=False)]
    worse = summary_values(["x"], captions)
    assert (worse["summary-artefacts"].item(), worse["summary-worse"].item()) == (1.0, 1.0)
    better = summary_values(["x", "y"], captions)
    assert (better["summary-artefacts"].item(), better["summary-worse"].item()) == (0.5, 0.0)
    assert summary_values([], captions) == {}


def test_summaries_find_their_classes() -> None:
    first = summary_embedding(["green leaves.", "green leaves."], embed)
    second = summary_embedding(["a grey cat."], embed)
    assert first is not None and second is not None
    found = rank_values({70: first, 50: second}, [50, 60, 70], np.eye(3))
    # Two names are equally far from "green leaves".
    assert found[70]["class-retrieval-rank"].item() == 2.5
    assert found[50]["class-retrieval-top1"].item() == 0
    assert found[50]["class-retrieval-top5"].item() == 1
    assert summary_embedding([], embed) is None


def test_figures_are_means_with_intervals(store: Store) -> None:
    classes = (store.tabby, store.lynx, store.crane)
    values = {
        class_id: class_values(
            read_class(store.engine, class_id, CONFIG, SIGHT), SIGHT.size, "half", embed
        )
        for class_id in classes
    }
    values[store.tabby]["class-retrieval-rank"] = np.array([2.0])
    store_values(store.engine, store.run_id, values, seed=0)
    figures = {figure.name: figure for figure in queries.figures(store.engine, store.run_id)}
    assert figures["maps-empty"].n == 6
    assert figures["map-mass"].value == pytest.approx(120e-7)
    # Tabby has 3 texts on 5 speaking regions, lynx 1 on 1.
    assert figures["caption-distinct"].value == pytest.approx((3 / 5 + 1) / 2)
    assert figures["class-retrieval-rank-chance"].value == 2.0
    assert figures["class-retrieval-top1-chance"].value == pytest.approx(1 / 3)
    assert "basis-predicted" not in figures
    per_class = queries.class_figures(store.engine, store.run_id)
    assert per_class[store.tabby]["basis-predicted"] == 4
    assert per_class[store.tabby]["regions-per-map"] == 1.5
    assert figures["rho-map-mass"].n == 0  # two classes are too few


def test_shares_of_ones_and_zeros_have_wilsons_interval() -> None:
    found = run_figure("maps-empty", np.zeros(10), seed=0)
    assert found.low == 0.0
    assert found.high == pytest.approx(0.2775, abs=1e-4)
    assert run_figure("energy", np.array([0.5]), seed=0).low is None
    assert run_figure("energy", np.empty(0), seed=0).n == 0


@pytest.fixture
def ten_classes(engine: Engine) -> tuple[int, list[int]]:
    """Ten classes of ten images; the one at place i has i right."""
    classes = {
        f"c{place}": [
            Photo(path=f"{place}/{i}", predicted=place if i < place else (place + 1) % 10)
            for i in range(10)
        ]
        for place in range(10)
    }
    run = write_run(engine, classes, width=10)
    return run.run_id, run.ids


def test_accuracy_is_held_against_the_figures_of_the_classes(
    engine: Engine, ten_classes: tuple[int, list[int]]
) -> None:
    run_id, ids = ten_classes
    order = np.random.default_rng(0).permutation(10)
    per_class = {
        class_id: {
            "energy": place**2 / 81,
            "map-entropy": float(order[place]),
            "caption-artefacts": 0.0,
            "tokens-deletion-gain": place / 10,
        }
        for place, class_id in enumerate(ids)
    }
    writes.set_figures(engine, run_id, [], per_class)
    store_correlations(engine, run_id)
    found = {figure.name: figure for figure in queries.figures(engine, run_id)}
    assert found["rho-energy"].value == pytest.approx(1.0)
    assert found["rho-energy"].n == 10
    difference = order - np.arange(10)
    expected = 1 - 6 * (difference**2).sum() / (10 * 99)
    assert found["rho-map-entropy"].value == pytest.approx(expected)
    # Two figures are asked about; that which goes with accuracy by its making is not.
    assert found["rho-map-entropy-q"].value == pytest.approx(found["rho-map-entropy-p"].value)
    assert "rho-tokens-deletion-gain" in found
    assert "rho-tokens-deletion-gain-q" not in found
    assert found["rho-caption-artefacts"].n == 0  # the same in all classes
    assert "rho-pointing" not in found


def test_a_figure_that_became_the_same_everywhere_has_no_link_any_more(
    engine: Engine, ten_classes: tuple[int, list[int]]
) -> None:
    run_id, ids = ten_classes
    for value in (1.0, 0.0):
        figures = {class_id: {"energy": place * value} for place, class_id in enumerate(ids)}
        writes.set_figures(engine, run_id, [], figures)
        store_correlations(engine, run_id)
    found = {figure.name: figure for figure in queries.figures(engine, run_id)}
    assert found["rho-energy"].n == 0


def test_new_captions_are_read(store: Store) -> None:
    """The count of distinct captions is what tells a class that has grown."""
    regions = queries.regions(store.engine, store.images["lynx/1.jpg"])
    writes.add_captions(
        store.engine, store.run_id, [NewCaption(regions[0].id, "another.", 2, -1.0)]
    )
    writes.aggregate_captions(store.engine, store.run_id)
    found = read_class(store.engine, store.lynx, CONFIG, SIGHT)
    assert [c.text for c in found.captions] == ["another."]
