import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scripts.build_mini.masks import blob, box_patches, with_cls

GRID = (8, 8)
shares = st.floats(0, 1, width=32)
spans = st.tuples(shares, shares).map(sorted).filter(lambda e: e[1] - e[0] > 1e-3)


def test_patches_half_covered_are_in() -> None:
    found = box_patches(np.array([1 / 16, 0, 0.5, 0.25]), GRID)
    rows, columns = np.nonzero(found)
    assert sorted(set(rows.tolist())) == [0, 1]
    assert sorted(set(columns.tolist())) == [0, 1, 2, 3]


def test_a_box_smaller_than_a_patch_keeps_its_best() -> None:
    found = box_patches(np.array([0.30, 0.55, 0.33, 0.58]), GRID)
    assert np.argwhere(found).tolist() == [[4, 2]]


@given(spans, spans, st.integers(0, 2**32 - 1))
def test_masks_are_never_empty(x: list[float], y: list[float], seed: int) -> None:
    whole = box_patches(np.array([x[0], y[0], x[1], y[1]]), GRID)
    part = blob(whole, np.random.default_rng(seed))
    assert whole.any()
    assert (part & whole).any()


def test_parts_mostly_stay_within() -> None:
    whole = np.zeros(GRID, bool)
    whole[2:6, 2:6] = True
    rng = np.random.default_rng(0)
    inside = [not (blob(whole, rng) & ~whole).any() for _ in range(200)]
    assert 0.65 < np.mean(inside) < 0.95


def test_masks_over_tokens() -> None:
    mask = np.array([[[True, False], [False, True]]])
    assert with_cls(mask).tolist() == [[False, True, False, False, True]]
