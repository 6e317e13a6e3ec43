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


def class_weights(classes: Sequence[int] | NDArray[Any], total: int) -> NDArray[np.float64]:
    """Return the inverse class frequency of sentences, (n,): 1 in one class, 0 in all `total`.

    log((1 + total) / (1 + classes_i)) / log((1 + total) / 2); all 1 where there is one class.

    Args:
        classes: (n,) in how many classes of the run each sentence stands, at least 1.
        total: number of classes.
    """
    held = np.clip(np.asarray(classes, dtype=np.float64), 1, max(1, total))
    if total <= 1:
        return np.ones_like(held)
    weights: NDArray[np.float64] = np.log((1 + total) / (1 + held)) / np.log((1 + total) / 2)
    return weights


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
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> list[Selected]:
    """Choose up to k sentences that stand for the class without repeating each other.

    Greedy, after Padmakumar & He 2021 (arXiv 2102.06272): take the largest
    relevance_i - redundancy x penalty_i, then penalty_i += M[i, chosen]. Ties go to the smallest
    index. The choice for k is the beginning of the choice for any larger k.

    `weights` multiply the relevances and leave the penalties: None is the paper's selection,
    `class_weights` lets a sentence of most classes lose to one of few.

    Args:
        matrix: (n, n) PMI in nats, row i the context; negatives and the diagonal count as 0.
        counts: (n,) how often each sentence occurs; None = once each.
        k: number of sentences, at least 1; more than n gives n.
        redundancy: lambda, at least 0; 0 ranks by relevance alone.
        weights: (n,) finite, at least 0.

    Returns:
        The chosen sentences, in the order of choice.

    Raises:
        ValueError: for a matrix that is not square and finite, counts or weights that do not fit
            it, a k below 1 or a redundancy that is negative or not finite.
    """
    if k < 1:
        raise ValueError(f"k is at least 1, not {k}")
    if not (np.isfinite(redundancy) and redundancy >= 0):
        raise ValueError(f"redundancy is a finite number of at least 0, not {redundancy}")
    positive, times = _checked(matrix, counts)
    relevance = _relevances(positive, times)
    if weights is not None:
        relevance = relevance * _vector(weights, len(relevance), "weights")
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
    times = np.ones(len(raw)) if counts is None else _vector(counts, len(raw), "counts")
    return positive, times


def _vector(values: Sequence[float] | NDArray[Any], n: int, name: str) -> NDArray[np.float64]:
    """Return one value a sentence, (n,), finite and at least 0."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (n,):
        raise ValueError(f"{n} sentences need as many {name}, not shape {vector.shape}")
    if not (np.isfinite(vector).all() and (vector >= 0).all()):
        raise ValueError(f"{name} are finite and at least 0")
    return vector
