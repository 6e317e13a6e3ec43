"""Is the model as sure as it is correct; and do its errors look where its correct answers do?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.resampling import FEWEST_RESAMPLED
from mapcap.stats import AT_ONCE, SIGNIFICANT, permutation, permutations

BINS = 10
_DRAWS = 1000
_ENDS = (SIGNIFICANT / 2, 1 - SIGNIFICANT / 2)


@dataclass(frozen=True)
class Bin:
    """The images whose confidence is in (low, high]: how many, how sure, how right."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(confidence: NDArray[Any], correct: NDArray[np.bool_]) -> list[Bin]:
    """Return the ten bins of equal width that hold images, by confidence.

    Bin edges belong to the bin below, as in Guo et al. 2017 (arXiv 1706.04599); 0 to the first.
    """
    place = np.ceil(confidence.astype(np.float64) * BINS).astype(int).clip(1, BINS) - 1
    return [
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            images=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(correct[inside].mean()),
        )
        for number in range(BINS)
        if (inside := place == number).any()
    ]


def expected_calibration_error(bins: list[Bin]) -> float:
    """Return the mean of |accuracy - confidence| over the bins, each weighted by its images."""
    images = sum(bin_.images for bin_ in bins)
    gaps = sum(bin_.images * abs(bin_.accuracy - bin_.confidence) for bin_ in bins)
    return gaps / images if images else 0.0


def calibration_level(confidence: NDArray[Any], *, seed: int, draws: int = _DRAWS) -> float:
    """Return the calibration error that 5 % of perfectly calibrated models exceed.

    A binned error of few images is not near zero even then: its bins are rarely as correct as they
    are confident. Simulated: each image is correct with odds of its confidence, as often as
    `draws`.

    Args:
        confidence: (n,) probabilities of the images' predictions.
        seed: of the simulation.
        draws: number of simulated runs.
    """
    probabilities = confidence.astype(np.float64)
    places = np.ceil(probabilities * BINS).astype(int).clip(1, BINS) - 1
    inside = np.eye(BINS)[places]  # (n, bins)
    generator, rows = np.random.default_rng(seed), max(1, AT_ONCE // max(1, len(probabilities)))
    errors = []
    for start in range(0, draws, rows):
        shape = min(rows, draws - start), len(probabilities)
        correct = generator.random(shape) < probabilities  # (rows, n)
        errors.append(
            np.abs((correct - probabilities) @ inside).sum(1) / max(1, len(probabilities))
        )
    return float(np.quantile(np.concatenate(errors), 1 - SIGNIFICANT))


@dataclass(frozen=True)
class Likeness:
    """The cosine of the means of two groups, and the p of one so low if the groups were random.

    `low` and `high` are its 95 % interval; `half` is what two random halves of the second group
    have in the middle, and `half_low` what 5 % of such halves are below: the yardstick. All four
    are None where a group has fewer than five vectors.
    """

    cosine: float
    p: float
    low: float | None
    high: float | None
    half: float | None
    half_low: float | None


def likeness(
    vectors: NDArray[Any], first: NDArray[np.bool_], *, seed: int, draws: int = _DRAWS
) -> Likeness | None:
    """Return how alike the means of two groups of vectors are, or None where one is empty or zero.

    The p is that of a permutation test over the vectors (one an image), low cosines being extreme;
    the split at hand counts as one of the draws. The interval is a percentile bootstrap over the
    vectors of each group.

    Args:
        vectors: (n, D); a grid may be given flat.
        first: (n,) which belong to the first group.
        seed: of the permutations.
        draws: number of permutations.
    """
    n = len(vectors)
    if not 0 < first.sum() < n:
        return None
    given = vectors.reshape(n, -1).astype(np.float64)
    total = given.sum(0)
    sums = permutations(first, seed=seed, draws=draws) @ given
    others = total - sums
    if np.linalg.norm(sums[0]) * np.linalg.norm(others[0]) == 0:
        return None
    cosines = _cosines(sums, others)
    low = high = half = half_low = None
    if min(int(first.sum()), n - int(first.sum())) >= FEWEST_RESAMPLED:
        left, right = (_resampled(given[side], seed=seed, draws=draws) for side in (first, ~first))
        low, high = map(float, np.quantile(_cosines(left, right), _ENDS))
        second = given[~first]
        size = len(second) // 2
        chosen = permutations(np.arange(len(second)) < size, seed=seed, draws=draws) @ second
        halves = _cosines(chosen, second.sum(0) - chosen)
        half_low, half = map(float, np.quantile(halves, (SIGNIFICANT, 1 / 2)))
    return Likeness(float(cosines[0].clip(-1, 1)), permutation(cosines), low, high, half, half_low)


def _cosines(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cosine of each pair of rows (n, D), 1 where a row is zero."""
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    dots = np.einsum("nd,nd->n", left, right)
    cosines: NDArray[np.float64] = np.divide(dots, norms, out=np.ones_like(norms), where=norms > 0)
    return cosines


def _resampled(vectors: NDArray[np.float64], *, seed: int, draws: int) -> NDArray[np.float64]:
    """Return sums of vectors (n, D) drawn with replacement: (draws, D)."""
    n = len(vectors)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    sums: NDArray[np.float64] = times @ vectors
    return sums
