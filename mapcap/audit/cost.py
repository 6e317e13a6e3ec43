"""What a finding costs: the misclassified images that it accounts for beyond chance."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.stats import SIGNIFICANT, Z, fisher


@dataclass(frozen=True, slots=True)
class Cost:
    """Misclassified images beyond chance, with the 95 % interval: what orders all findings."""

    images: float
    low: float
    high: float

    def scaled(self, share: float) -> "Cost":
        """Return a share of the cost, where only so much of it counts."""
        return Cost(self.images * share, self.low * share, self.high * share)

    def __str__(self) -> str:
        """Return the cost as a person reads it."""
        low, high = (f"{end:.0f}" for end in (self.low, self.high))
        number = f"{self.images:.0f}" if self.images >= 1 else f"{self.images:.1f}"
        return f"costs {number} image{'' if number == '1' else 's'}, {low} to {high}"


NOTHING: Final = Cost(0.0, 0.0, 0.0)
"""The cost of a note: of what goes with no error."""


def beyond(concerned: NDArray[np.bool_], wrong: NDArray[Any]) -> Cost:
    """Return what n images concerned cost beyond the error rate of the others.

    The cost is n (r - s), r and s being the shares of the images concerned and of the others that
    are misclassified; its interval is n times that of a difference of shares, with one success and
    one failure added to each (Agresti & Caffo 2000, The American Statistician 54, 280-288). It is
    `NOTHING` where there are no others, where the interval reaches 0 and where Fisher's exact test
    shows no difference.

    Args:
        concerned: (n,) which images of the class the finding is about.
        wrong: (n,) which are misclassified.
    """
    inside, outside = wrong[concerned], wrong[~concerned]
    n, m = len(inside), len(outside)
    hits, others = int(inside.sum()), int(outside.sum())
    if not n or not m or fisher(hits, n, others, m) > SIGNIFICANT:
        return NOTHING
    r, s = (hits + 1) / (n + 2), (others + 1) / (m + 2)
    half = Z * sqrt(r * (1 - r) / (n + 2) + s * (1 - s) / (m + 2))
    gap = hits / n - others / m
    if gap <= 0 or r - s - half <= 0:
        return NOTHING
    return Cost(n * gap, n * min(gap, r - s - half), n * min(1.0, max(gap, r - s + half)))


def beyond_expected(count: int, images: int, expected: float) -> Cost:
    """Return what `count` of a class's images cost beyond as many as are expected by chance.

    The interval is that of the share of all images, with two successes and two failures added
    (Agresti & Coull 1998, The American Statistician 52, 119-126).
    """
    share = (count + 2) / (images + 4)
    half = Z * sqrt(share * (1 - share) / (images + 4))
    low, high = (images * (share + sign * half) for sign in (-1, 1))
    cost = max(0.0, count - expected)
    return Cost(cost, min(cost, max(0.0, low - expected)), max(cost, min(images, high) - expected))
