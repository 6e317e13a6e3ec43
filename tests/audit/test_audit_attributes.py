"""Attributes of photos: a planted one is told as a person would, and chance is no finding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine

from db import queries
from db.queries import evidence
from mapcap.audit.attributes import ATTRIBUTES, attribute_row, find_cuts
from mapcap.audit.kinds import KINDS
from mapcap.audit.kinds.attribute import attributes, faults
from mapcap.audit.material import Material
from mapcap.datasets.attributes import attributes_of
from mapcap.stats import false_discovery
from tests.audit.test_audit_findings import LYNX, ME, material

COLUMNS = {attribute.name: place for place, attribute in enumerate(ATTRIBUTES)}
GRID = np.ones((4, 4))


def with_values(name: str, own: np.ndarray, others: np.ndarray) -> Material:
    """25 of the images correct, then 25 misclassified; one attribute as given, the rest random."""
    given = material([ME] * 25 + [LYNX] * 25, ["a cat."] * 50)
    mine, all_of_them = given.images.attributes.copy(), given.reference.attributes.copy()
    mine[:, COLUMNS[name]] = own
    all_of_them[:, COLUMNS[name]] = np.concatenate([own, others])
    return replace(
        given,
        images=replace(given.images, attributes=mine),
        reference=replace(given.reference, attributes=all_of_them),
    )


def values(rng: np.random.Generator, low: float, high: float, n: int = 50) -> np.ndarray:
    return rng.uniform(low, high, n)


def test_blurred_photos_are_named() -> None:
    """22 of 25 blurred ones are wrong, of the sharp ones 3: blurred is what few others are."""
    rng = np.random.default_rng(0)
    own = values(rng, 0.7, 0.9)
    own[[*range(3), *range(28, 50)]] = values(rng, 0.3, 0.5, 25)
    given = with_values("sharpness", own, values(rng, 0.6, 0.9, 40))
    (found,) = attributes(given)
    assert found.title == "22 of the 25 blurred ones are misclassified (the others 3 of 25)"
    assert KINDS["attribute"].clause is not None
    assert KINDS["attribute"].clause(found) == found.title
    assert found.cost.images == pytest.approx(22 - 3)
    assert found.wrong == frozenset(range(28, 50))
    assert set(found.images[:22]) == set(range(128, 150)), "misclassified images come first"
    lines = KINDS["attribute"].details(found)
    assert lines[0] == "With it 12 % correct (3 of 25), without 88 % (22 of 25)."
    assert lines[1].startswith("Sharpness at most 0.6; p 0.001 over all cuts")
    assert lines[2].startswith("So are 0 % of the other classes' images")


def test_what_other_classes_are_as_well_is_named_by_comparison() -> None:
    rng = np.random.default_rng(0)
    own = values(rng, 0.7, 0.9)
    own[25:] = values(rng, 0.5, 0.6, 25)
    (found,) = attributes(with_values("sharpness", own, values(rng, 0.4, 0.7, 40)))
    assert found.title == "25 of the 25 less sharp ones are misclassified (the others 0 of 25)"


def test_a_small_object_is_told_by_its_share_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    own = values(rng, 0.3, 0.9)
    own[29:] = 0.05
    (found,) = attributes(with_values("object", own, np.full(40, np.nan)))
    assert found.title.startswith("21 of the 21 in which the object covers under ")
    assert found.title.endswith(" % of the picture are misclassified (the others 4 of 29)")
    assert found.figures["share_elsewhere"] is None
    assert len(KINDS["attribute"].details(found)) == 2


def test_attributes_of_the_same_images_are_one_finding() -> None:
    """A frame is also dark: the frame is named, though darkness parts as well."""
    rng = np.random.default_rng(0)
    own = np.zeros(50)
    own[25:48] = 0.2
    given = with_values("border", own, np.zeros(40))
    mine = given.images.attributes.copy()
    mine[:, COLUMNS["brightness"]] = 50 - 100 * own + rng.normal(size=50)
    (found,) = attributes(replace(given, images=replace(given.images, attributes=mine)))
    assert found.title == "23 of the 23 framed ones are misclassified (the others 2 of 27)"


def test_a_frame_on_a_whole_class_is_told_beside_the_accuracies() -> None:
    rng = np.random.default_rng(0)
    given = with_values("border", rng.uniform(0.1, 0.2, 50), np.zeros(40))
    (found,) = faults(given, set())
    assert found.title == "50 of 50 are framed, 0% elsewhere"
    assert KINDS["attribute"].clause is not None
    assert KINDS["attribute"].clause(found) == "50 are framed"
    assert KINDS["attribute"].details(found)[-1].startswith("Share in a flat border over ")
    assert not faults(given, {"border"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sharpness", "are blurred"),
        ("brightness", "are dark"),
        ("detail", "have the detail in under 80 % of the picture"),
    ],
)
def test_what_half_of_a_class_has_by_how_it_was_made_is_a_note(name: str, said: str) -> None:
    """20 of 50 photos: 8 of the correct and 12 of the misclassified, so that no error goes with
    it. Where as many of the other classes' photos are so, nothing is said.
    """
    so, rest = (0.2, 0.8) if name == "detail" else (20, 80)
    own, others = np.full(50, rest, float), np.full(40, rest, float)
    own[17:37] = so
    (found,) = faults(with_values(name, own, others), set())
    assert found.title == f"20 of 50 {said}, 0% elsewhere"
    assert found.is_note
    others[:16] = so
    assert not faults(with_values(name, own, others), set())


def test_chance_has_a_finding_in_at_most_five_percent_of_classes() -> None:
    """Attributes that go together, as those of photos do, some with ties, some unknown."""
    rng = np.random.default_rng(0)
    classes, found = 200, 0
    for number in range(classes):
        shown = rng.normal(size=(40, 12)) + rng.normal(size=(40, 1))
        shown[:, 0] = shown[:, 0] > 1
        shown[:, 1] = np.nan
        cuts = find_cuts(shown, rng.random(40) < 0.4, seed=number)
        assert {cut.column for cut in cuts} == {0, *range(2, 12)}
        found += bool((false_discovery([cut.p for cut in cuts]) <= 0.05).any())
    assert found <= 0.05 * classes


def test_too_few_images_are_not_tested() -> None:
    given = material([ME] * 25 + [LYNX] * 4, ["a cat."] * 29)
    shown = given.images.attributes.copy()
    shown[:25, 0], shown[25:, 0] = 0, 1
    assert not attributes(replace(given, images=replace(given.images, attributes=shown)))
    assert not find_cuts(np.empty((0, 3)), np.empty(0, bool), seed=0)


def test_the_stage_stores_them_and_the_audit_reads_them(
    marked_photos: Path, engine: Engine
) -> None:
    run_id = queries.latest_run(engine).id
    numbers = evidence.predicted_ids(engine, run_id)[::6, 0].tolist()
    for image in evidence.predictions_of(engine, numbers):
        path = marked_photos / queries.image(engine, image.id).path
        with Image.open(path) as opened:
            assert image.attributes == attributes_of(opened.convert("RGB"))
        assert image.file_size == path.stat().st_size


def test_a_row_of_attributes_by_hand() -> None:
    """The object is a quarter of the picture in its lower right."""
    stored = {"sharpness": 0.5, "noise": "much", "red": True, "blue": 10**400}
    row = attribute_row(stored, (200, 100), 5000, (100, 50, 200, 100))
    named = dict(zip(COLUMNS, row, strict=True))
    assert named["object"] == 0.25 and named["offset"] == pytest.approx(np.hypot(0.5, 0.5))
    assert named["compression"] == 0.25 and named["aspect"] == 2 and named["side"] == 100
    assert named["sharpness"] == 0.5
    assert np.isnan([named[name] for name in ("noise", "blue", "border")]).all()
    without = attribute_row(None, (10, 10), None, None)
    assert np.isnan([without[COLUMNS[name]] for name in ("object", "offset")]).all()
