"""How sure a mean is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
_LARGE = 5000
"""Values above which resampling and the normal approximation agree to three digits."""
_Z = 1.959963984540054
_AT_ONCE = 1_000_000


def mean_interval(
    values: NDArray[Any], *, seed: int, draws: int = DRAWS
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean of values (n,), None if they are fewer than two.

    None also where all are equal: without any spread, nothing tells how sure their mean is.

    Percentile bootstrap over the values (Efron 1979); above 5,000 of them the normal
    approximation, to which it converges.
    """
    known = np.asarray(values, np.float64)
    n = len(known)
    if n < 2 or np.ptp(known) == 0:
        return None
    if n > _LARGE:
        centre, half = known.mean(), _Z * known.std(ddof=1) / np.sqrt(n)
        return float(centre - half), float(centre + half)
    generator = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // n)
    means = np.concatenate(
        [
            known[generator.integers(0, n, (min(rows, draws - start), n))].mean(1)
            for start in range(0, draws, rows)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
