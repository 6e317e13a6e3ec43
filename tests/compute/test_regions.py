"""Regions against flood fill and torch's own interpolation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.functional import interpolate

from mapcap.regions import find_regions, heat, upsample
from mapcap.salience import is_rule, salient

GRIDS = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(0, 4, width=32, allow_subnormal=False),
)
SIZES = st.tuples(st.integers(9, 40), st.integers(9, 40))


def torch_upsample(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    tensor = torch.from_numpy(np.asarray(grid, np.float64))[None, None]
    return interpolate(tensor, size, mode="bilinear", align_corners=False)[0, 0].numpy()


def flood(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    """8-connected components by flood fill."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    parts = []
    while left:
        border = [left.pop()]
        part = set(border)
        while border:
            y, x = border.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            part |= near
            border += near
        parts.append(part)
    return parts


@settings(deadline=None)
@given(GRIDS, SIZES)
def test_upsample_is_torchs_bilinear(grid, size):
    np.testing.assert_allclose(upsample(grid, size), torch_upsample(grid, size), atol=1e-6)


@pytest.mark.parametrize("size", [(3, 4), (5, 50), (224, 224), (1, 1)])
def test_upsample_goes_down_too_and_takes_a_batch(size):
    grids = np.random.default_rng(0).random((6, 7, 16))
    expected = np.stack([torch_upsample(grid, size) for grid in grids])
    np.testing.assert_allclose(upsample(grids, size), expected, atol=1e-9)


def find(grid, size, threshold="mean", max_regions=3, min_area=0.005):
    return find_regions(grid, size, threshold, max_regions, min_area)


RULES = ["half", "mean", "mass:0.8", "mass:1", "mass:.05"]


def plain_mask(view, rule):
    """Pixel by pixel, as the words of the rules say it."""
    if rule == "half":
        return view >= view.min() + (view.max() - view.min()) / 2
    if rule == "mean":
        return view >= min(view.mean(), view.max())
    wanted, sum_ = float(rule.removeprefix("mass:")) * view.sum(), 0.0
    for value in sorted(view.ravel(), reverse=True):
        sum_ += value
        if sum_ >= wanted * (1 - 1e-12):
            break
    return view >= value


@pytest.mark.parametrize("rule", ["", "0.5", "mass", "mass:", "mass:0", "mass:1.1", "mass:nan",
                                  "mass:-1", "mass:1e-1", "mass:٠.٥", "Mean"])  # fmt: skip
def test_other_rules_are_refused(rule):
    assert not is_rule(rule)
    with pytest.raises(ValueError, match="half, mean or mass:Q"):
        salient(np.eye(3), rule)


@pytest.mark.parametrize("rule", RULES)
def test_the_highest_pixel_is_salient_by_every_rule(rule):
    assert is_rule(rule)
    assert salient(np.full((3, 4), 0.1), rule).all()
    assert salient(np.eye(3), rule)[0, 0]


@settings(deadline=None)
@given(GRIDS, SIZES, st.sampled_from(RULES), st.integers(1, 4), st.floats(0, 0.1))
def test_regions_equal_the_plain_computation(grid, size, rule, most, min_area):
    found = find_regions(grid, size, rule, most, min_area)
    if np.ptp(grid) <= 1e-6 * grid.max():
        assert found == [] or grid.max() > grid.min()
        return
    view = upsample(grid, size)
    mask = plain_mask(view, rule)
    parts = [part for part in flood(mask) if len(part) >= min_area * view.size]
    mass = {frozenset(p): sum(view[y, x] for y, x in p) / view.sum() for p in parts}
    expected = sorted(mass.values(), reverse=True)[:most]
    np.testing.assert_allclose([r.mass for r in found], expected, rtol=1e-9)
    for region in found:
        pixels = frozenset((int(y), int(x)) for y, x in np.argwhere(region.mask))
        assert pixels in mass  # one whole component
        rows, columns = zip(*pixels, strict=True)
        assert region.box == (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
        assert region.area == pytest.approx(len(pixels) / view.size)
        assert region.mass == pytest.approx(mass[pixels])
    assert len({region.mask.tobytes() for region in found}) == len(found)


@settings(deadline=None)
@given(GRIDS, SIZES)
def test_patches_are_the_half_covered_ones(grid, size):
    for region in find(grid, size, min_area=0):
        rows, columns = grid.shape
        fine = np.kron(region.mask, np.ones(grid.shape))  # pixels cut so that patches are whole
        height, width = size
        covered = np.array(
            [
                [
                    fine[i * height : (i + 1) * height, j * width : (j + 1) * width].mean()
                    for j in range(columns)
                ]
                for i in range(rows)
            ]
        )
        assert region.patches.any()
        assert region.patches[covered > 0.5 + 1e-6].all()
        best = covered.max()
        assert (covered[region.patches] >= min(0.5, best) - 1e-6).all()


def test_two_peaks_by_hand():
    """A strong column on the left, a weaker corner, a speck that is too small."""
    grid = np.zeros((8, 8))
    grid[1:5, 1] = 1.0
    grid[6:8, 6:8] = 0.8
    grid[0, 7] = 0.6
    found = find(grid, (64, 64), "half", min_area=0.01)
    assert len(found) == 2
    left, corner = found
    assert left.mass > corner.mass
    assert left.mass + corner.mass < 1
    np.testing.assert_array_equal(np.argwhere(left.patches), [[1, 1], [2, 1], [3, 1], [4, 1]])
    np.testing.assert_array_equal(np.argwhere(corner.patches), [[6, 6], [6, 7], [7, 6], [7, 7]])
    assert corner.box[2:] == (64, 64)
    x0, y0, x1, y1 = left.box
    assert left.mask[y0:y1, x0:x1].any(axis=0).all()
    assert left.mask.sum() == left.mask[y0:y1, x0:x1].sum()
    assert len(find(grid, (64, 64), min_area=0)) == 3
    assert len(find(grid, (64, 64), max_regions=1)) == 1


def test_diagonal_neighbours_are_one_region():
    grid = np.eye(2)
    assert len(find(grid, (2, 2))) == 1


def test_a_region_smaller_than_half_a_patch_keeps_the_best_patch():
    grid = np.zeros((4, 4))
    grid[2, 1] = 1.0
    (region,) = find(grid, (64, 64), "mass:0.2", min_area=0)
    np.testing.assert_array_equal(np.argwhere(region.patches), [[2, 1]])


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -2.0, 1e-30])
@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (3, 5)])
def test_a_constant_map_has_no_regions_and_no_heat(value, shape):
    grid = np.full(shape, value)
    with np.errstate(all="raise"):
        assert find(grid, (50, 60)) == []
        np.testing.assert_array_equal(heat(grid, (50, 60)), np.zeros((50, 60)))


def test_heat_spans_zero_to_one():
    weights = heat(np.random.default_rng(1).random((7, 7)) * 1e-4 + 3, (70, 80))
    assert weights.shape == (70, 80)
    assert weights.min() == 0
    assert weights.max() == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_grid_that_is_not_finite_is_refused(bad):
    grid = np.ones((3, 3))
    grid[1, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        find(grid, (30, 30))


def test_negative_relevance_has_no_mass():
    grid = np.array([[-1.0, -1.0, -1.0, 1.0]] * 4)
    (region,) = find(grid, (16, 16), "half")
    view = upsample(grid, (16, 16))
    assert region.mass == pytest.approx(view[region.mask].sum() / view[view > 0].sum())
    assert find(grid - 5, (16, 16))[0].mass == 0
