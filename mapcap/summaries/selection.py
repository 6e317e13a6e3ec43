"""Choosing the sentences of a summary; numpy alone, so that the app can choose again.

`select` is the paper's and the poster's, `select_shared` the default: what many photos share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from db.records import Pmi
from mapcap.texts.wording import content_words

NEAR = 0.6
"""Share of their content words that near copies have in common (Jaccard)."""
SHARED = 2
"""Regions from which on a sentence stands for more than one."""


@dataclass(frozen=True, slots=True)
class Selected:
    """A chosen sentence and the figures it was chosen with; `score` = relevance - lambda x penalty.

    `index` is its row in the matrix; `members` are the rows of the captions it stands for, its own
    among them. `relevance` and `penalty` are in nats: sums over captions where `select` chose,
    means where `select_shared` did.
    """

    index: int
    relevance: float
    penalty: float
    score: float
    members: tuple[int, ...] = ()


def choose(
    pmi: Pmi, k: int, redundancy: float, counts: NDArray[Any] | None = None
) -> list[Selected]:
    """Choose the summary of a class as its run was told to, from its stored matrix.

    `counts` (n,) may count the captions of some of the images alone; None counts them all.
    Arguments and errors are those of `select`.
    """
    times = pmi.counts if counts is None else counts
    weights = None
    if pmi.config.get("class_frequency") is True:
        weights = class_weights(pmi.classes, pmi.class_total)
    if pmi.config.get("shared") is True:
        copies = near_copies(pmi.texts, times)
        return select_shared(pmi.matrix, times, copies, k, redundancy, weights)
    rows = np.flatnonzero(times)
    kept = None if weights is None else weights[rows]
    selected = select(pmi.matrix[np.ix_(rows, rows)], times[rows], k, redundancy, kept)
    return [replace(pick, index=int(rows[pick.index]), members=(int(rows[pick.index]),))
            for pick in selected]  # fmt: skip


def near_copies(texts: Sequence[str], counts: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    """Say which caption each caption is a near copy of, (n,): itself, if of none.

    Captions are taken by count, of equal ones the first; each joins the first before it that has
    at least `NEAR` of the content words of both in common, or stands for itself.
    """
    words = [frozenset(word for word in content_words(text) if word) for text in texts]
    copies = np.arange(len(texts))
    kept: list[int] = []
    for place in sorted(range(len(texts)), key=lambda i: (-int(counts[i]), i)):
        for other in kept:
            either = words[place] | words[other]
            if either and len(words[place] & words[other]) >= NEAR * len(either):
                copies[place] = other
                break
        else:
            kept.append(place)
    return copies


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
    _check_wishes(k, redundancy)
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


def select_shared(
    matrix: ArrayLike,
    counts: Sequence[int] | NDArray[Any],
    copies: Sequence[int] | NDArray[Any],
    k: int = 5,
    redundancy: float = 1.0,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> list[Selected]:
    """Choose up to k sentences that many captions share; free of how many captions there are.

    As `select`, with means in place of sums: relevance_i is the mean of M[i, j] over the captions,
    by count; penalty_i the mean of M[i, chosen] over those chosen. With sums the relevance is of
    hundreds of captions and the penalty of a few, so lambda does nothing. Only captions that stand
    for themselves (`copies` as of `near_copies`) are chosen, and those that with their copies are
    of a single region come after all others. The choice for k is the beginning of that for more.

    Args:
        matrix: (n, n) PMI in nats, row i the context; negatives and the diagonal count as 0.
        counts: (n,) how often each occurs; a caption of count 0 takes no part.
        copies: (n,) the row of what each caption is a near copy of.
        k: number of sentences, at least 1.
        redundancy: lambda, at least 0.
        weights: (n,) multiply the relevances; None = 1.

    Raises:
        ValueError: as `select`, or if there are not n copies.
    """
    _check_wishes(k, redundancy)
    positive, times = _checked(matrix, counts)
    n = len(times)
    owner = np.asarray(copies, dtype=np.int64)
    if owner.shape != (n,):
        raise ValueError(f"{n} sentences need as many copies, not shape {owner.shape}")
    relevance = _relevances(positive, times) / (times.sum() or 1.0)
    if weights is not None:
        relevance = relevance * _vector(weights, n, "weights")
    members = {i: np.flatnonzero((owner == i) & (times > 0)) for i in range(n) if owner[i] == i}
    support = {i: times[rows].sum() for i, rows in members.items() if len(rows)}
    left = sorted(support)
    penalty = np.zeros(n)
    chosen: list[Selected] = []
    while len(chosen) < k and left:
        shared = [i for i in left if support[i] >= SHARED] or left
        scores = relevance[shared] - redundancy * penalty[shared] / max(1, len(chosen))
        place = int(np.argmax(scores))  # the first of equals: the smallest index
        index = shared[place]
        mean = float(penalty[index]) / max(1, len(chosen))
        rows = tuple(int(row) for row in members[index])
        chosen.append(Selected(index, float(relevance[index]), mean, float(scores[place]), rows))
        penalty += positive[:, index]
        left.remove(index)
    return chosen


def _check_wishes(k: int, redundancy: float) -> None:
    if k < 1:
        raise ValueError(f"k is at least 1, not {k}")
    if not (np.isfinite(redundancy) and redundancy >= 0):
        raise ValueError(f"redundancy is a finite number of at least 0, not {redundancy}")


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
