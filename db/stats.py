"""Statistics of the aggregates, in plain Python."""

from math import sqrt
from typing import Final

# The 97.5 % point of the normal distribution: a two-sided interval of 95 %.
Z: Final = 1.959963984540054


def wilson(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after Wilson (1927), as (low, high) in [0, 1].

    ValueError unless 0 <= correct <= total and total > 0.
    """
    if not 0 <= correct <= total or total == 0:
        raise ValueError(f"no share: {correct} of {total}")
    share = correct / total
    scale = 1 + Z**2 / total
    centre = (share + Z**2 / (2 * total)) / scale
    half = Z / scale * sqrt(share * (1 - share) / total + Z**2 / (4 * total**2))
    # Rounding must not push the ends past what the share itself allows.
    return max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
