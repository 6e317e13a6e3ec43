"""Suspected label errors: what the model is sure of, and the nearest images agree with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 4096
"""Images of the run compared at a time."""
_MOST_NEIGHBOURS, _FEWEST_NEIGHBOURS = 10, 3
MOST_MIXED = 0.2
"""A model that takes more of two classes' images for the other is no witness between them."""


def neighbour_count(class_sizes: NDArray[np.int64]) -> int:
    """Return how many neighbours vote: a quarter of the median class, between 3 and 10."""
    quarter = int(np.median(class_sizes)) // 4 if class_sizes.size else 0
    return min(_MOST_NEIGHBOURS, max(_FEWEST_NEIGHBOURS, quarter))


def nearest(
    queries: NDArray[Any],
    query_ids: NDArray[np.int64],
    references: NDArray[Any],
    reference_ids: NDArray[np.int64],
    k: int,
    *,
    chunk: int = _CHUNK,
) -> NDArray[np.int64]:
    """Return the places in `references` of the k nearest to each query by cosine: (n, <= k).

    The nearest comes first. An image is no neighbour of itself: references of a query's own id
    are passed over. The references go by in chunks, so that no more than n x chunk cosines are
    held; there are fewer than k columns where there are not more references than k.

    Args:
        queries: (n, D) L2-normalised; `query_ids` (n,).
        references: (m, D) L2-normalised, float16 will do; `reference_ids` (m,).
        k: number of neighbours.
        chunk: references compared at a time.
    """
    n, width = len(queries), min(k, max(0, len(references) - 1))
    best = np.full((n, width), -np.inf, np.float32)
    places = np.zeros((n, width), np.int64)
    wanted = queries.astype(np.float32)
    for start in range(0, len(references), chunk):
        part = references[start : start + chunk].astype(np.float32)
        cosines = wanted @ part.T  # (n, c)
        own = query_ids[:, None] == reference_ids[None, start : start + chunk]
        cosines[own] = -np.inf
        scores = np.concatenate([best, cosines], axis=1)
        numbers = np.arange(start, start + len(part))
        candidates = np.concatenate([places, np.broadcast_to(numbers, (n, len(part)))], axis=1)
        # Stable, so that equal cosines keep the order of the references.
        order = np.argsort(-scores, axis=1, kind="stable")[:, :width]
        best = np.take_along_axis(scores, order, axis=1)
        places = np.take_along_axis(candidates, order, axis=1)
    return places


@dataclass(frozen=True, eq=False)
class Suspects:
    """Images whose label is doubted, the most doubtful first.

    `index` (s,) are places in the class; `said` (s,) the classes they are taken for; `votes` (s,)
    the share of the neighbours that are of that class; `confidence` (s,) the model's probability.
    """

    index: NDArray[np.int64]
    said: NDArray[np.int64]
    votes: NDArray[np.float64]
    confidence: NDArray[np.float64]


def suspects(
    own_class: int,
    predicted: NDArray[np.int64],
    confidence: NDArray[Any],
    neighbour_classes: NDArray[np.int64],
    self_confidence: Mapping[int, float],
    mixed: Mapping[int, float],
) -> Suspects:
    """Return the images of a class that look wrongly labelled.

    Two witnesses must agree. The model: the image is taken for another class with at least the
    probability that images of that class have for it on average (the threshold of confident
    learning, Northcutt et al., arXiv 1911.00068). The images: more than half of the nearest are
    of that class, and at most half as many of the image's own. Both look through the same model:
    where it mixes two classes up (`MOST_MIXED`), neither says anything about a label.

    Args:
        own_class: the class's id.
        predicted: (n,) ids of the classes the images were taken for.
        confidence: (n,) probability of those.
        neighbour_classes: (n, k) classes of the nearest images, by their labels.
        self_confidence: mean probability of the true class, by class id.
        mixed: share of the images of this class and another taken for each other, by its id.
    """
    if not neighbour_classes.shape[1]:
        empty = np.empty(0, np.int64)
        return Suspects(empty, empty, empty.astype(float), empty.astype(float))
    needed = np.array([self_confidence.get(int(said), 1.0) for said in predicted])
    apart = np.array([mixed.get(int(said), 0.0) <= MOST_MIXED for said in predicted], bool)
    votes = (neighbour_classes == predicted[:, None]).mean(1)  # (n,)
    own = (neighbour_classes == own_class).mean(1)  # (n,)
    agree = (votes > 1 / 2) & (own <= votes / 2)
    doubted = np.flatnonzero((predicted != own_class) & (confidence >= needed) & agree & apart)
    order = doubted[np.lexsort((doubted, -votes[doubted] * confidence[doubted]))]
    return Suspects(order, predicted[order], votes[order], confidence[order].astype(float))
