"""Choosing the sentences of a summary; numpy alone, so that the app can choose again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Selected:
    """A chosen sentence and the figures it was chosen with; `score` = relevance - lambda x penalty.

    `index` is its row in the matrix; `relevance` and `penalty` are in nats, summed over captions.
    """

    index: int
    relevance: float
    penalty: float
    score: float


def relevances(
    matrix: ArrayLike, counts: Sequence[int] | NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Return relevance_i = sum_j count_j max(0, M[i, j]) over j != i, shape (n,), in nats.

    Arguments and errors are those of `select`.
    """
    positive, weights = _checked(matrix, counts)
    return _relevances(positive, weights)


def select(
    matrix: ArrayLike,
    counts: Sequence[int] | NDArray[Any] | None = None,
    k: int = 5,
    redundancy: float = 1.0,
) -> list[Selected]:
    """Choose up to k sentences that stand for the class without repeating each other.

    Greedy, after Padmakumar & He 2021 (arXiv 2102.06272): take the largest
    relevance_i - redundancy x penalty_i, then penalty_i += M[i, chosen]. Ties go to the smallest
    index. The choice for k is the beginning of the choice for any larger k.

    Args:
        matrix: (n, n) PMI in nats, row i the context; negatives and the diagonal count as 0.
        counts: (n,) how often each sentence occurs; None = once each.
        k: number of sentences, at least 1; more than n gives n.
        redundancy: lambda, at least 0; 0 ranks by relevance alone.

    Returns:
        The chosen sentences, in the order of choice.

    Raises:
        ValueError: for a matrix that is not square and finite, counts that do not fit it, a k
            below 1 or a redundancy that is negative or not finite.
    """
    if k < 1:
        raise ValueError(f"k is at least 1, not {k}")
    if not (np.isfinite(redundancy) and redundancy >= 0):
        raise ValueError(f"redundancy is a finite number of at least 0, not {redundancy}")
    positive, weights = _checked(matrix, counts)
    relevance = _relevances(positive, weights)
    penalty = np.zeros_like(relevance)
    left = np.arange(len(relevance))
    chosen: list[Selected] = []
    while len(chosen) < k and left.size:
        scores = relevance[left] - redundancy * penalty[left]
        place = int(np.argmax(scores))  # the first of equals: the smallest index
        index = int(left[place])
        chosen.append(
            Selected(index, float(relevance[index]), float(penalty[index]), float(scores[place]))
        )
        penalty += positive[:, index]
        left = np.delete(left, place)
    return chosen


def _relevances(positive: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the rows, weighted. No BLAS: equal rows must give equal sums, for ties to be ties."""
    sums: NDArray[np.float64] = (positive * weights).sum(axis=1)
    return sums


def _checked(
    matrix: ArrayLike, counts: Sequence[int] | NDArray[Any] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the matrix (n, n) without negatives and diagonal, and the counts (n,)."""
    # float64: a stored matrix may be float16, whose sums would overflow at 65,504.
    raw = np.asarray(matrix, dtype=np.float64)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise ValueError(f"the PMI matrix is square, not of shape {raw.shape}")
    if not np.isfinite(raw).all():
        raise ValueError("the PMI matrix holds values that are not finite")
    positive = np.maximum(raw, 0.0)
    np.fill_diagonal(positive, 0.0)
    weights = np.ones(len(raw)) if counts is None else np.asarray(counts, dtype=np.float64)
    if weights.shape != (len(raw),):
        raise ValueError(f"{len(raw)} sentences need as many counts, not shape {weights.shape}")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("counts are finite and at least 0")
    return positive, weights
