"""The vectors nearest to one among millions: first in eight bits, then exactly for the best.

The result is that of comparing all exactly. The first pass bounds each cosine from both sides, and
drops only what cannot be among the k best; of what is left, the most promising are read and
compared first, until nothing unread could still be better.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from db.errors import StoreError
from db.records import Codes, Vectors

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
# Rows that fit into the processor's cache as float32, which makes them twenty times as fast.
_ROWS: Final = 512
# Vectors that are read at once for the exact comparison.
_READ: Final = 1024


@dataclass(frozen=True)
class Nearest:
    """The ids (k,) and cosines (k,) of the nearest vectors, and how many were compared."""

    ids: Ids
    cosines: NDArray[np.float64]
    searched: int


def nearest(
    parts: Callable[[], Iterable[Codes | Vectors]],
    exact: Callable[[Sequence[int]], Vectors],
    query: NDArray[np.floating[Any]],
    k: int,
    first: Callable[[Nearest], None] | None = None,
) -> Nearest:
    """Return the k nearest of all vectors, the most alike first, of equals that of the lower id.

    `parts` begins a pass through all that is stored, `exact` reads vectors by id; ids it does not
    know are gone since. `first` is given the nearest of the first part, before the search goes on.
    `query` (D,) is L2-normalised, as the stored vectors are.

    Raises:
        StoreError: for stored vectors of another length than the query's.
    """
    wide = query.astype(np.float64)

    def begun(left: _Left) -> None:
        if first is not None:
            first(Nearest(*_best(left, exact, wide, k), left.searched))

    kept = k
    while True:
        left = _possible(parts(), query.astype(np.float32), kept, begun)
        first = None
        ids, cosines = _best(left, exact, wide, k)
        if left.bar == -np.inf or (ids.size == k and cosines[-1] >= left.bar):
            return Nearest(ids, cosines, left.searched)
        # Vectors that are gone have pushed others out.
        kept *= 2


@dataclass(frozen=True)
class _Left:
    """What may be among the best: ids (n,) and the most their cosines can be, those first.

    The cosines of all others are below `bar`, -inf if there are no others.
    """

    ids: Ids
    highs: Floats
    bar: float
    searched: int


def _possible(
    parts: Iterable[Codes | Vectors], query: Floats, k: int, begun: Callable[[_Left], None]
) -> _Left:
    """Go through all vectors once; keep those that may be among the k best.

    `begun` is told what is left of the first part.
    """
    ids, highs, lows = np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32)
    bar, searched = -np.inf, 0

    def left() -> _Left:
        order = np.argsort(-highs, kind="stable")
        return _Left(ids[order], highs[order], bar, searched)

    for number, part in enumerate(_read_ahead(parts)):
        searched += part.ids.size
        cosines, errors = _cosine_bounds(part, query)
        new = np.flatnonzero(cosines + errors >= bar)
        ids = np.concatenate([ids, part.ids[new]])
        highs = np.concatenate([highs, (cosines + errors)[new]])
        lows = np.concatenate([lows, (cosines - errors)[new]])
        if ids.size > k:
            bar = float(np.partition(lows, -k)[-k])
            good = highs >= bar
            ids, highs, lows = ids[good], highs[good], lows[good]
        if number == 0:
            begun(left())
    return left()


def _read_ahead(parts: Iterable[Codes | Vectors]) -> Iterator[Codes | Vectors]:
    """Yield the parts, the next of which is read in a thread while one is compared."""
    iterator = iter(parts)
    # What may stop the search (`db.interrupts`) is told by the context, which threads do not have.
    context = copy_context()
    with ThreadPoolExecutor(1) as pool:

        def following() -> Future[Codes | Vectors | None]:
            return pool.submit(context.run, lambda: next(iterator, None))

        coming = following()
        while (part := coming.result()) is not None:
            coming = following()
            yield part


def _cosine_bounds(part: Codes | Vectors, query: Floats) -> tuple[Floats, Floats]:
    """Return the cosines (n,) of vectors, and how far they may be off (n,)."""
    length = query.size
    if isinstance(part, Codes):
        steps = _products(part.codes, query)
        cosines = part.centre @ query + part.scales * steps
        errors = part.errors * np.linalg.norm(query)
    else:
        cosines = _products(part.vectors, query)
        errors = np.zeros(part.ids.size, np.float32)
    # A sum of D products of unit vectors is off by D half units in the last place at most, and
    # those of the codes and of their centre are two such sums.
    return cosines, errors + np.float32(4 * length) * np.finfo(np.float32).eps


def _products(rows: NDArray[Any], query: Floats) -> Floats:
    """Return the products (n,) of narrow rows (n, D) with a query."""
    if rows.shape[1] != query.size:
        raise StoreError("stored embeddings of one kind differ in length: the file is damaged")
    products = np.empty(len(rows), np.float32)
    wide = np.empty((_ROWS, query.size), np.float32)
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        np.copyto(wide[: len(some)], some)
        np.dot(wide[: len(some)], query, out=products[start : start + len(some)])
    return products


def _best(
    left: _Left, exact: Callable[[Sequence[int]], Vectors], query: NDArray[np.float64], k: int
) -> tuple[Ids, NDArray[np.float64]]:
    """Return the ids and exact cosines of the k best of what is left, or of all there are."""
    ids, cosines = np.empty(0, np.int64), np.empty(0, np.float64)
    for start in range(0, left.ids.size, _READ):
        if ids.size == k and left.highs[start] < cosines[-1]:
            break
        stored = exact(left.ids[start : start + _READ].tolist())
        if not stored.ids.size:
            continue
        ids = np.concatenate([ids, stored.ids])
        cosines = np.concatenate([cosines, stored.vectors.astype(np.float64) @ query])
        order = np.lexsort((ids, -cosines))[:k]
        ids, cosines = ids[order], cosines[order]
    return ids, cosines
