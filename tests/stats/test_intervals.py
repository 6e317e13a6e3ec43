"""The interval of a mean."""

import numpy as np
import pytest
from scipy import stats

from mapcap.resampling import difference_intervals, mean_interval


def test_is_that_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=60)
    found = mean_interval(values, seed=0)
    expected = stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, rng=2
    ).confidence_interval
    assert found == pytest.approx((expected.low, expected.high), abs=0.03)


def test_covers_the_true_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    hits = 0
    for seed in range(300):
        low, high = mean_interval(generator.normal(3.0, 2.0, 50), seed=seed, draws=400) or (0, 0)
        hits += low <= 3.0 <= high
    assert 0.90 <= hits / 300 <= 0.985


def test_many_values_take_the_normal_approximation() -> None:
    values = np.random.default_rng(0).normal(size=6000)
    half = 1.96 * values.std(ddof=1) / np.sqrt(6000)
    expected = (values.mean() - half, values.mean() + half)
    assert mean_interval(values, seed=0) == pytest.approx(expected, abs=1e-5)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(20.0)
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4)


@pytest.mark.parametrize("values", [[], [3.0], [1.0, 2.0, 3.0, 4.0], [0.25] * 7])
def test_of_fewer_than_five_or_without_spread_there_is_none(values: list[float]) -> None:
    assert mean_interval(np.array(values), seed=0) is None


def test_skewed_values_are_covered_where_percentiles_are_not() -> None:
    """The mean of 8 squares of normal values: percentiles cover it in fewer than 85 %."""
    generator = np.random.default_rng(6)
    bca = percentiles = 0
    for seed in range(300):
        values = generator.normal(size=8) ** 2
        low, high = mean_interval(values, seed=seed, draws=400) or (0, 0)
        bca += low <= 1 <= high
        means = values[generator.integers(0, 8, (400, 8))].mean(1)
        ends = np.percentile(means, [2.5, 97.5])
        percentiles += ends[0] <= 1 <= ends[1]
    assert bca > percentiles


def test_differences_are_those_of_scipys_bootstrap() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.gamma(1.0, size=(20, 1)), generator.gamma(2.0, size=(30, 1))
    found = difference_intervals(first, second, seed=0, draws=4000)
    expected = stats.bootstrap(
        (first[:, 0], second[:, 0]),
        lambda one, two, axis: one.mean(axis) - two.mean(axis),
        method="BCa",
        n_resamples=10_000,
        rng=2,
    ).confidence_interval
    assert found is not None
    ends = [end[0] for end in found]
    assert ends == pytest.approx([expected.low, expected.high], abs=0.06)
    assert difference_intervals(first[:4], second, seed=0, draws=9) is None
    assert difference_intervals(first, second[:4], seed=0, draws=9) is None
