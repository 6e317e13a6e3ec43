"""The interval of a mean."""

import numpy as np
import pytest
from scipy import stats

from mapcap.stats import mean_interval


def test_is_that_of_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=60)
    found = mean_interval(values, seed=0)
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=2
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


@pytest.mark.parametrize("values", [[], [3.0], [0.25] * 7])
def test_without_spread_there_is_none(values: list[float]) -> None:
    assert mean_interval(np.array(values), seed=0) is None
