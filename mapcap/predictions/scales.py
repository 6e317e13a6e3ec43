"""Scores as probabilities or logits: which they are is told by their range and their sums."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mapcap.datasets import Prediction
from mapcap.predictions.records import Ranked, Scored

Scale = Literal["probabilities", "logits", "scores"]
"""`scores` lie in [0, 1] and do not sum to 1: they rank the classes, and tell no probability."""

_ROUNDING = 0.02
"""How far a sum of rounded probabilities may be from 1."""
_TINY = 1e-12
"""What a probability of 0 counts as in a margin."""
TOP = 5


def scale_of_matrix(values: NDArray[np.float64]) -> Scale:
    """Tell what the scores (N, K) of all classes are."""
    if values.min() < 0 or values.max() > 1 + _ROUNDING:
        return "logits"
    return "probabilities" if np.abs(values.sum(1) - 1).max() <= _ROUNDING else "scores"


def scale_of_best(scores: Sequence[Sequence[float]]) -> Scale:
    """Tell what the scores of the best classes are; not all classes are there to be summed."""
    probable = all(min(row) >= 0 and sum(row) <= 1 + _ROUNDING for row in scores)
    return "probabilities" if probable else "logits"


def from_matrix(
    table: Scored, scale: Scale, row: int, index: Sequence[int], true: int | None
) -> Prediction:
    """Return a row of a matrix as a prediction; `index` (K,) are the classes of its columns.

    `true` is the class of the image, None where nobody knows it; probabilities of logits are
    their softmax.
    """
    values = table.values[row]
    order = np.argsort(-values, kind="stable")
    probabilities: NDArray[np.float64] | None = None
    if scale == "probabilities":
        probabilities = values
    elif scale == "logits":
        powers = np.exp(values - values.max())
        probabilities = powers / powers.sum()
    top = tuple(
        (
            index[place],
            None if probabilities is None else float(probabilities[place]),
            None if scale == "probabilities" else float(values[place]),
        )
        for place in order[:TOP].tolist()
    )
    if true is None or true not in index:
        return Prediction(top, None, None, None)  # or the classifier does not have the class
    target = index.index(true)
    level = np.log(np.maximum(values, _TINY)) if scale == "probabilities" else values
    others = np.delete(level, target)
    return Prediction(
        top,
        None if probabilities is None else float(probabilities[target]),
        int(np.flatnonzero(order == target)[0]) + 1,
        float(level[target] - others.max()) if len(others) else 0.0,
    )


def from_best(
    table: Ranked, scale: Scale | None, row: int, index: Sequence[int], true: int | None
) -> Prediction:
    """Return a row of best classes as a prediction; `index` are these classes, best first.

    `true` as of `from_matrix`.
    """
    classes = list(index[:TOP])
    scores = None if table.scores is None else list(table.scores[row][:TOP])
    nothing: list[float | None] = [None] * len(classes)
    probabilities = list(scores) if scores is not None and scale == "probabilities" else nothing
    logits = list(scores) if scores is not None and scale == "logits" else nothing
    top = tuple(zip(classes, probabilities, logits, strict=True))
    if true is None or true not in classes:
        return Prediction(top, None, None, None)
    target = classes.index(true)
    return Prediction(top, probabilities[target], target + 1, _margin(scores, target, scale))


def _margin(scores: list[float] | None, target: int, scale: Scale | None) -> float | None:
    if scores is None or len(scores) < 2:
        return None
    level = np.array(scores, np.float64)
    if scale == "probabilities":
        level = np.log(np.maximum(level, _TINY))
    return float(level[target] - np.delete(level, target).max())
