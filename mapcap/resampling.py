"""Intervals by resampling: the bootstrap, corrected for bias and skewness."""

from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.stats import AT_ONCE, Z

DRAWS: Final = 2000
"""Resamples of a bootstrap interval."""
FEWEST_RESAMPLED: Final = 5
"""Values below which there is no interval: those of so few are far too narrow."""

_LARGE: Final = 5000
"""Values above which resampling and the normal approximation agree to three digits."""
_NORMAL: Final = NormalDist()


def mean_interval(
    values: NDArray[Any], *, seed: int, draws: int = DRAWS
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of values (n,), None if they are fewer than five.

    None also where all are equal: without any spread, nothing tells how sure their mean is.

    BCa bootstrap over the values (Efron 1987); above 5,000 of them the normal approximation, to
    which it converges.
    """
    sample = np.asarray(values, np.float64)
    n = len(sample)
    if n < FEWEST_RESAMPLED or np.ptp(sample) == 0:
        return None
    if n > _LARGE:
        centre, half = sample.mean(), Z * sample.std(ddof=1) / np.sqrt(n)
        return float(centre - half), float(centre + half)
    generator = np.random.default_rng(seed)
    rows = max(1, AT_ONCE // n)
    means = np.concatenate(
        [
            sample[generator.integers(0, n, (min(rows, draws - start), n))].mean(1)
            for start in range(0, draws, rows)
        ]
    )
    influence = (sample - sample.mean()) / n
    low, high = _bca(means[:, None], sample.mean(keepdims=True), influence[:, None])
    return float(low[0]), float(high[0])


def difference_intervals(
    first: NDArray[Any], second: NDArray[Any], *, seed: int, draws: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the 95 % intervals of mean differences: low (W,) and high (W,).

    None if a group has fewer than five rows. BCa bootstrap (Efron 1987) over the rows of two
    groups, (m, W) and (n, W), each resampled on its own.
    """
    if min(len(first), len(second)) < FEWEST_RESAMPLED:
        return None
    generator = np.random.default_rng(seed)
    resampled: list[NDArray[np.float64]] = []
    influence: list[NDArray[np.float64]] = []
    for values, sign in ((first, 1), (second, -1)):
        n = len(values)
        # How often each row is drawn says all of a resample: (draws, n).
        times = generator.multinomial(n, np.full(n, 1 / n), size=draws)
        resampled.append(times @ values / n)
        influence.append(sign * (values - values.mean(0)) / n)
    observed = first.mean(0) - second.mean(0)
    return _bca(resampled[0] - resampled[1], observed, np.concatenate(influence))


def _bca(
    resampled: NDArray[np.float64], observed: NDArray[np.float64], influence: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bias-corrected and accelerated 95 % intervals of W figures.

    After Efron 1987 (Journal of the American Statistical Association 82, 171-185).

    Args:
        resampled: (draws, W) the figures of the resamples.
        observed: (W,) those at hand.
        influence: (n, W) what each value adds to them; sums to 0.
    """
    draws = len(resampled)
    below = (resampled < observed).sum(0) + (resampled == observed).sum(0) / 2
    # Never none nor all: the bias of a figure beyond every resample is not infinite.
    shares = below.clip(1 / 2, draws - 1 / 2) / draws
    squares = (influence**2).sum(0)
    cubes = (influence**3).sum(0)
    skewness = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    ordered = np.sort(resampled, axis=0)
    ends = np.empty((2, len(observed)))
    for i, (share, a) in enumerate(zip(shares.tolist(), skewness.tolist(), strict=True)):
        z0 = _NORMAL.inv_cdf(share)
        for row, z in enumerate((-Z, Z)):
            level = _NORMAL.cdf(z0 + (z0 + z) / (1 - a * (z0 + z)))
            ends[row, i] = np.interp(level * (draws - 1), np.arange(draws), ordered[:, i])
    return ends[0], ends[1]
