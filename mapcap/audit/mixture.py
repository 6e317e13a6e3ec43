"""Clusters of embeddings: Gaussian mixtures on their principal axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIMENSIONS = 12
"""Principal axes kept: a covariance in the embedding's own hundreds could not be estimated."""
_POINTS_A_COMPONENT = 12
_MOST_COMPONENTS = 8
_STEPS = 60
_TOLERANCE = 1e-5
_FLOOR = 1e-3
"""Least variance of a component on an axis, as a share of the data's own."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Means and variances (K, D), weights (K,), log-likelihood of all points, posteriors (n, K)."""

    means: NDArray[np.float64]
    variances: NDArray[np.float64]
    weights: NDArray[np.float64]
    log_likelihood: float
    posteriors: NDArray[np.float64]


def clusterings(vectors: NDArray[Any], *, seed: int) -> list[NDArray[np.int64]]:
    """Return the clusters (n,) of vectors (n, D) at every grain: mixtures of 2, 3 ... components.

    The mixtures are fitted on the principal axes; there are at most 8 components, and a dozen
    vectors to each.
    """
    points = principal(vectors, _DIMENSIONS)
    most = min(_MOST_COMPONENTS, len(points) // _POINTS_A_COMPONENT)
    return [fit(points, k, seed=seed).posteriors.argmax(1) for k in range(2, most + 1)]


def stability(members: NDArray[np.int64], others: Sequence[Sequence[NDArray[np.int64]]]) -> float:
    """Return how well a cluster is found again: the mean of its best Jaccard indices (Hennig 2007).

    Args:
        members: the numbers of its vectors.
        others: clusterings of the same vectors from other beginnings, at every grain each.
    """
    best = []
    for grains in others:
        found = 0.0
        for labels in grains:
            shared = np.bincount(labels[members], minlength=int(labels.max()) + 1)
            sizes = np.bincount(labels, minlength=len(shared))
            found = max(found, float((shared / (sizes + len(members) - shared)).max()))
        best.append(found)
    return float(np.mean(best)) if best else 0.0


def principal(vectors: NDArray[Any], dimensions: int) -> NDArray[np.float64]:
    """Return vectors (n, D) on their first principal axes, (n, d); axes without spread are left."""
    centred = vectors.astype(np.float64) - vectors.mean(0, dtype=np.float64)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    kept = spread[:dimensions] > 1e-9 * max(spread.max(initial=0), 1e-30)
    points: NDArray[np.float64] = (left * spread)[:, :dimensions][:, kept]
    return points


def fit(points: NDArray[np.float64], k: int, *, seed: int) -> Mixture:
    """Fit a mixture of k Gaussians with diagonal covariances to points (n, d) by EM.

    Begins at k points drawn as k-means++ draws them; `seed` is of the drawing.
    """
    overall = points.var(0)
    means = _spread(points, k, np.random.default_rng(seed))
    mixture = Mixture(
        means,
        np.tile(np.maximum(overall / k, 1e-12), (k, 1)),
        np.full(k, 1 / k),
        -np.inf,
        np.full((len(points), k), 1 / k),
    )
    for _ in range(_STEPS):
        joint = log_joint(points, mixture.means, mixture.variances, mixture.weights)  # (n, K)
        evidence = np.logaddexp.reduce(joint, axis=1)  # (n,)
        posteriors = np.exp(joint - evidence[:, None])
        likelihood = float(evidence.sum())
        sizes = posteriors.sum(0) + 1e-9  # (K,)
        means = posteriors.T @ points / sizes[:, None]
        squares = posteriors.T @ points**2 / sizes[:, None]
        variances = np.maximum(squares - means**2, _FLOOR * overall + 1e-12)
        improved = likelihood - mixture.log_likelihood
        mixture = Mixture(means, variances, sizes / sizes.sum(), likelihood, posteriors)
        if improved < _TOLERANCE * len(points):
            break
    return mixture


def log_joint(
    points: NDArray[np.float64],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return log(weight_k N(point_i; mean_k, variance_k)) as (n, K)."""
    precision = 1 / variances  # (K, d)
    distances = (
        points**2 @ precision.T - 2 * points @ (means * precision).T + (means**2 * precision).sum(1)
    )
    normaliser = np.log(2 * np.pi * variances).sum(1)
    result: NDArray[np.float64] = np.log(weights) - (distances + normaliser) / 2
    return result


def _spread(
    points: NDArray[np.float64], k: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw k of the points, each with odds of its squared distance to those drawn before."""
    chosen = [int(generator.integers(len(points)))]
    squared = np.full(len(points), np.inf)
    for _ in range(k - 1):
        squared = np.minimum(squared, ((points - points[chosen[-1]]) ** 2).sum(1))
        total = squared.sum()
        odds = squared / total if total > 0 else None
        chosen.append(int(generator.choice(len(points), p=odds)))
    return points[chosen]
