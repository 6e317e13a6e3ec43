"""How accuracy goes with another figure across classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, inf, nextafter, sqrt, tanh
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FEWEST_CLASSES = 5
"""Classes below which a rank correlation says nothing."""
_Z = 1.959963984540054


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho over `n` classes with its 95 % interval and two-sided p."""

    rho: float
    low: float
    high: float
    p: float
    n: int


def spearman(x: NDArray[Any], y: NDArray[Any]) -> Correlation | None:
    """Return the rank correlation of x and y (n,), None where it is not defined.

    It is not where there are fewer than five pairs, or where one side is the same throughout.
    p from Student's t with n - 2 degrees of freedom; the interval is Fisher's z with the standard
    error sqrt((1 + rho^2 / 2) / (n - 3)) of Bonett & Wright 2000 (Psychometrika 65, 23-28).
    """
    n = len(x)
    if n < FEWEST_CLASSES or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    found = stats.spearmanr(x, y)
    rho = float(found.statistic)
    # Fisher's z of a perfect order is infinite; so close to it the interval ends at 1 anyhow.
    z = atanh(max(nextafter(-1.0, inf), min(rho, nextafter(1.0, -inf))))
    half = _Z * sqrt((1 + rho**2 / 2) / (n - 3))
    return Correlation(rho, tanh(z - half), tanh(z + half), float(found.pvalue), n)


def false_discovery(p: Sequence[float]) -> list[float]:
    """Return the q values of p values after Benjamini & Hochberg 1995, in the same order."""
    if not p:
        return []
    adjusted: list[float] = stats.false_discovery_control(np.clip(p, 0, 1)).tolist()
    return adjusted
