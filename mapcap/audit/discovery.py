"""What counts as found, where many things are tried: false discovery rates. Needs no scipy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05
"""Highest false discovery rate, or p, of what is called a finding."""


def false_discovery(p: Sequence[float] | NDArray[Any]) -> NDArray[np.float64]:
    """Return the q values of p values (n,), after Benjamini & Hochberg 1995."""
    # A tail sum may round to a little more than one.
    given = np.asarray(p, np.float64).clip(0, 1)
    order = np.argsort(given)[::-1]
    ranks = np.arange(len(given), 0, -1)
    q = np.empty_like(given)
    q[order] = np.minimum.accumulate(given[order] * len(given) / ranks)
    return q
