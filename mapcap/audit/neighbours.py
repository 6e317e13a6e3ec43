"""The photos of the run that are nearest to a photo."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512
"""Images of the run compared at a time."""
_MOST_NEIGHBOURS, _FEWEST_NEIGHBOURS = 10, 3


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
        same_image = query_ids[:, None] == reference_ids[None, start : start + chunk]
        cosines[same_image] = -np.inf
        scores = np.concatenate([best, cosines], axis=1)
        numbers = np.arange(start, start + len(part))
        candidates = np.concatenate([places, np.broadcast_to(numbers, (n, len(part)))], axis=1)
        # Stable, so that equal cosines keep the order of the references.
        order = np.argsort(-scores, axis=1, kind="stable")[:, :width]
        best = np.take_along_axis(scores, order, axis=1)
        places = np.take_along_axis(candidates, order, axis=1)
    return places
