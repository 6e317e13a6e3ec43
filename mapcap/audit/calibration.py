"""Is the model as sure as it is correct; and do its errors look where its correct answers do?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.stats import AT_ONCE, SIGNIFICANT, permutation, permutations

BINS = 10
_DRAWS = 1000


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
    images = sum(found.images for found in bins)
    gaps = sum(found.images * abs(found.accuracy - found.confidence) for found in bins)
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
    known = confidence.astype(np.float64)
    places = np.ceil(known * BINS).astype(int).clip(1, BINS) - 1
    inside = np.eye(BINS)[places]  # (n, bins)
    generator, rows = np.random.default_rng(seed), max(1, AT_ONCE // max(1, len(known)))
    errors = []
    for start in range(0, draws, rows):
        shape = min(rows, draws - start), len(known)
        correct = generator.random(shape) < known  # (rows, n)
        errors.append(np.abs((correct - known) @ inside).sum(1) / max(1, len(known)))
    return float(np.quantile(np.concatenate(errors), 1 - SIGNIFICANT))


@dataclass(frozen=True)
class Likeness:
    """The cosine of the means of two groups, and the p of one so low if the groups were random."""

    cosine: float
    p: float


def likeness(
    vectors: NDArray[Any], first: NDArray[np.bool_], *, seed: int, draws: int = _DRAWS
) -> Likeness | None:
    """Return how alike the means of two groups of vectors are, or None where one is empty or zero.

    The p is that of a permutation test over the vectors (one an image), low cosines being extreme;
    the split at hand counts as one of the draws.

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
    norms = np.linalg.norm(sums, axis=1) * np.linalg.norm(others, axis=1)
    if norms[0] == 0:
        return None
    cosines = np.divide((sums * others).sum(1), norms, out=np.ones_like(norms), where=norms > 0)
    return Likeness(float(cosines[0].clip(-1, 1)), permutation(cosines))
