"""Rank correlation, its interval and its false discovery rate."""

import numpy as np
import pytest
from scipy import stats

from mapcap.stats import false_discovery, spearman


def test_by_hand_without_ties() -> None:
    # 1 - 6 sum d^2 / (n (n^2 - 1)) with d = 1, 1, 0, 1, 1, 0, 0, 0
    found = spearman(np.arange(8.0), np.array([1, 0, 2, 4, 3, 5, 6, 7.0]))
    assert found is not None
    assert found.rho == pytest.approx(1 - 6 * 4 / (8 * 63))
    assert found.n == 8


def test_ties_and_p_as_scipy() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 6, 25), generator.integers(0, 6, 25)
    found, expected = spearman(x, y), stats.spearmanr(x, y)
    assert found is not None
    assert (found.rho, found.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_the_interval_by_the_formula() -> None:
    x = np.arange(30.0)
    y = x + np.random.default_rng(3).normal(0, 12, 30)
    found = spearman(x, y)
    assert found is not None
    half = 1.959964 * np.sqrt((1 + found.rho**2 / 2) / 27)
    expected = np.tanh(np.arctanh(found.rho) + np.array([-half, half]))
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Normal pairs with Pearson's 0.6, whose Spearman's rho is 6 / pi asin(0.3)."""
    generator, truth, hits = np.random.default_rng(7), 6 / np.pi * np.arcsin(0.3), 0
    for _ in range(500):
        pair = generator.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 25)
        found = spearman(*pair.T)
        assert found is not None
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 500 <= 0.98


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_order(sign: int) -> None:
    found = spearman(np.arange(8.0), sign * np.arange(8.0))
    assert found is not None
    assert found.rho == pytest.approx(sign)
    assert found.low <= found.rho + 1e-12 and found.rho <= found.high + 1e-12
    assert -1 <= found.low <= found.high <= 1


def test_not_defined() -> None:
    assert spearman(np.arange(9.0), np.ones(9)) is None
    assert spearman(np.arange(7.0), np.arange(7.0)) is None, "of fewer than eight nothing is said"


def test_below_ten_pairs_p_is_exact() -> None:
    """A perfect order of eight is one of two in 8!; with ties as by drawn orders."""
    perfect = spearman(np.arange(8.0), np.arange(8.0))
    assert perfect is not None and perfect.p == pytest.approx(2 / 40320)
    x, y = np.array([1, 1, 2, 3, 4, 5, 5, 6.0]), np.array([2, 1, 1, 4, 3, 3, 6, 5.0])
    found = spearman(x, y)
    ranks, generator = stats.rankdata(x), np.random.default_rng(0)
    orders = generator.permuted(np.tile(stats.rankdata(y), (4000, 1)), axis=1)
    rhos = [np.corrcoef(ranks, stats.rankdata(y))[0, 1], *np.corrcoef(ranks, orders)[0, 1:]]
    expected = np.mean(np.abs(rhos) >= abs(rhos[0]) - 1e-9)
    assert found is not None and found.p == pytest.approx(expected, abs=0.01)


def test_links_of_few_classes_are_as_rare_as_they_say() -> None:
    """Of twelve unrelated figures of eight classes one is called a link in at most 5 % of runs."""
    generator, runs = np.random.default_rng(0), 30
    named = 0
    for _ in range(runs):
        accuracy = generator.random(8)
        found = [spearman(accuracy, generator.random(8)) for _ in range(12)]
        named += bool((false_discovery([one.p for one in found if one is not None]) <= 0.05).any())
    assert named <= 3


def test_false_discovery_by_hand() -> None:
    # Benjamini & Hochberg: p times m by rank, made monotone from the largest down.
    assert false_discovery([0.04, 0.01, 0.03, 0.5]) == pytest.approx(
        [0.04 * 4 / 3, 0.04, 0.04 * 4 / 3, 0.5]
    )
    assert not false_discovery([]).size
