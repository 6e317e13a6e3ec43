"""Maps and regions of one network's view in another's: by hand, and there and back."""

import numpy as np
import pytest

from mapcap.networks.geometry import View
from mapcap.networks.reframing import reframe, reframe_region
from mapcap.regions import find_regions

SHORTEST = {"size": 32, "resize_mode": "shortest"}


def test_the_same_view_changes_nothing() -> None:
    view = View.of(SHORTEST, 64, 48)
    values = np.random.default_rng(0).random((4, 4))
    np.testing.assert_allclose(reframe(values, view, view, (4, 4)), values, atol=1e-6)


def test_what_a_tighter_crop_does_not_see_is_nothing() -> None:
    """A crop of the middle half of a square photo: its cells are the four in the middle."""
    whole = View.of(SHORTEST, 32, 32)
    middle = View.of({"size": (32, 32), "scale": (64, 64), "resize_mode": "shortest"}, 32, 32)
    assert middle.window == (8, 8, 24, 24)
    found = reframe(np.ones((4, 4)), middle, whole, (4, 4))
    expected = np.zeros((4, 4))
    expected[1:3, 1:3] = 1
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(reframe(np.ones((4, 4)), whole, middle, (4, 4)), np.ones((4, 4)))


@pytest.mark.parametrize("size", [(64, 48), (48, 64), (40, 40)])
def test_a_region_is_the_same_part_of_the_photo(size: tuple[int, int]) -> None:
    """From a squashed view to a centre crop: its box in the photo stays, as far as it is seen."""
    squashed = View.of({"size": 32, "resize_mode": "squash"}, *size)
    ours = View.of(SHORTEST, *size)
    grid = np.zeros((8, 8))
    grid[3:5, 3:6] = 1
    (region,) = find_regions(grid, (32, 32), "half", 3, 0.01)
    mapped = reframe_region(region, squashed, ours, (4, 4))
    assert mapped is not None
    box, expected = ours.to_original(mapped.box), squashed.to_original(region.box)
    np.testing.assert_allclose(box, expected, atol=2)
    assert mapped.patches.shape == (4, 4) and mapped.patches.any()
    assert mapped.area == pytest.approx(mapped.mask.mean())
    assert mapped.mass == region.mass


def test_a_region_that_is_not_seen_is_none() -> None:
    squashed = View.of({"size": 32, "resize_mode": "squash"}, 128, 32)
    grid = np.zeros((8, 8))
    grid[2:4, 0] = 1
    (region,) = find_regions(grid, (32, 32), "half", 3, 0.01)
    assert reframe_region(region, squashed, View.of(SHORTEST, 128, 32), (4, 4)) is None
