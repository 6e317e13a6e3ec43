"""Maps against boxes, by hand on small grids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapcap.metrics.localisation import (
    box_around,
    centred_gaussian,
    coverage,
    energy_inside,
    informative,
    intersection_over_union,
    largest_part,
    localise,
    mask_over_union,
    points_inside,
    spread,
)

SIZE = (40, 80)  # four rows and four columns of patches of 10 x 20 pixels
UPPER_LEFT = [0.0, 0.0, 40.0, 20.0]  # two by two patches


def peak(row: int, column: int) -> np.ndarray:
    grid = np.zeros((4, 4))
    grid[row, column] = 2.0
    return grid


def test_coverage_is_the_share_of_each_patch() -> None:
    (found,) = coverage(np.array([[10.0, 5.0, 40.0, 12.0]]), SIZE, (4, 4))
    expected = np.zeros((4, 4))
    expected[0, :2] = [0.25, 0.5]  # the lower half of the row; half of the first column, all of 2nd
    expected[1, :2] = [0.1, 0.2]  # a fifth of the row
    np.testing.assert_allclose(found, expected)


@given(st.lists(st.floats(0, 80), min_size=2, max_size=2).map(sorted))
def test_coverage_sums_to_the_boxs_share_of_the_view(edges: list[float]) -> None:
    x0, x1 = edges
    (found,) = coverage(np.array([[x0, 3.0, x1, 31.0]]), SIZE, (4, 4))
    assert found.mean() == pytest.approx((x1 - x0) * 28 / (40 * 80))


edges = st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(lambda e: e[0] != e[1]).map(sorted)


@given(edges, edges)
def test_coverage_counts_pixels(x: list[int], y: list[int]) -> None:
    pixels = np.zeros((24, 24))
    pixels[y[0] : y[1], x[0] : x[1]] = 1
    by_patch = pixels.reshape(4, 6, 8, 3).mean((1, 3))
    (found,) = coverage(np.array([[x[0], y[0], x[1], y[1]]]), (24, 24), (4, 8))
    np.testing.assert_allclose(found, by_patch)


def test_energy_is_the_share_inside() -> None:
    grid = np.array([[[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0]]])
    assert energy_inside(grid, coverage(np.array([UPPER_LEFT]), SIZE, (4, 4))) == pytest.approx(
        [0.5]
    )


def test_pointing_asks_for_the_centre_of_the_best_patch() -> None:
    maps = np.stack([peak(1, 1), peak(2, 1), peak(0, 0)])
    boxes = np.array([UPPER_LEFT, UPPER_LEFT, [11.0, 0.0, 80.0, 40.0]])
    # The last box covers nearly half of the best patch, and not its centre at x = 10.
    assert points_inside(maps, boxes, SIZE).tolist() == [1.0, 0.0, 0.0]


def test_several_best_patches_count_by_their_share() -> None:
    grid = peak(0, 0) + peak(3, 3) + peak(1, 0) + peak(3, 0)
    assert points_inside(grid[None], np.array([UPPER_LEFT]), SIZE).tolist() == [0.5]


def test_intersection_over_union() -> None:
    boxes = np.array([[0, 0, 4, 4], [0, 0, 2, 2], [0, 0, 3, 3]])
    others = np.array([[2, 2, 6, 6], [2, 2, 4, 4], [0, 0, 3, 3]])
    assert intersection_over_union(boxes, others) == pytest.approx([4 / 28, 0.0, 1.0])


def test_the_highlighted_box_is_that_of_the_largest_part() -> None:
    grid = np.zeros((8, 8))
    grid[0:2, 0:3] = 1.0  # the largest part
    grid[6, 6] = 5 / 4  # the brightest one
    x0, y0, x1, y1 = box_around(largest_part(grid, (80, 80), "half"))
    assert (x0, y0) == (0, 0)
    assert 28 <= x1 <= 32 and 18 <= y1 <= 22  # the edge of half height, within interpolation


def test_a_constant_map_highlights_the_whole_view() -> None:
    assert box_around(largest_part(np.full((4, 4), 0.3), SIZE, "half")) == (0, 0, 80, 40)


def test_the_uniform_map_has_the_level_of_the_boxs_area() -> None:
    found = localise(peak(1, 1)[None], np.array([UPPER_LEFT]), SIZE, "half")
    for name in ("pointing", "energy", "box-iou", "mask-iou"):
        assert found[f"{name}-uniform"] == pytest.approx([0.25])


def test_a_map_that_knows_the_box_is_ahead_of_the_centred_one() -> None:
    grid = np.zeros((4, 4))
    grid[:2, :2] = 1
    found = localise(grid[None], np.array([UPPER_LEFT]), SIZE, "half")
    assert found["pointing"] == found["energy"] == pytest.approx([1.0])
    # A Gaussian in the middle has a quarter of its mass in each quarter of the view.
    assert found["energy-centre-prior"] == pytest.approx([0.25])
    assert found["energy-gain"] == pytest.approx([0.75])
    # Its four best patches are the inner ones, of which the box holds one.
    assert found["pointing-gain"] == pytest.approx([0.75])


def test_the_gaussian_fits_the_shape_of_the_grid() -> None:
    bell = centred_gaussian((16, 8))
    np.testing.assert_allclose(bell, bell[::-1, ::-1])
    # Sigma is three of 16 rows: three rows off the centre the bell is at exp(-1/2) of its height.
    column = centred_gaussian((17, 1))[:, 0]
    sigma = 17 * 3 / 16
    assert column[8 + 3] == pytest.approx(np.exp(-(3**2) / (2 * sigma**2)))


def test_boxes_that_say_nothing() -> None:
    boxes = [UPPER_LEFT, [0.0, 0.0, 80.0, 30.0], [0.0, 0.0, 0.0, 10.0], [0.0, 0.0, 79.0, 24.0]]
    assert informative(np.array(boxes), SIZE).tolist() == [True, False, False, True]


def test_spread_is_the_share_of_equally_used_patches() -> None:
    half = np.zeros((4, 4))
    half[:2] = 0.7
    maps = np.stack([peak(1, 2), half, np.full((4, 4), 9.0)])
    assert spread(maps) == pytest.approx([1 / 16, 0.5, 1.0])


def test_a_mask_against_a_box_counts_parts_of_pixels() -> None:
    part = np.zeros((4, 4), bool)
    part[:2, :2] = True
    box = np.array([[1.0, 0.5, 3.0, 2.0]])  # area 3; of the part 1 x 1.5
    assert mask_over_union([part], box).tolist() == pytest.approx([1.5 / (4 + 3 - 1.5)])


@given(st.integers(0, 10**6), st.sampled_from(["half", "mean", "mass:0.8"]))
def test_an_overlap_is_a_share(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    grids, corner = rng.random((2, 5, 5)), rng.uniform(0, 30, (2, 2))
    boxes = np.hstack([corner, corner + rng.uniform(1, 10, (2, 2))])
    found = localise(grids, boxes, SIZE, rule)
    for name in ("box-iou", "mask-iou"):
        assert ((found[name] >= 0) & (found[name] <= 1)).all()
