"""The search for the nearest vectors gives what comparing all exactly gives, and reads few."""

from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from db.codes import codes_of
from db.errors import StoreError
from db.interrupts import Interrupt, current
from db.records import Codes, Vectors
from tui.nearest import Nearest, nearest

Part = Codes | Vectors


class Stored:
    """Vectors in parts, as a store has them; counts what is read of them exactly."""

    def __init__(self, vectors: NDArray[Any], ids: NDArray[np.int64], part: int) -> None:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        self.vectors = (vectors / norms).astype(np.float16)
        self.ids = ids
        self.read = 0
        self.passes = 0
        self._place = {int(number): place for place, number in enumerate(ids)}
        self._parts = [slice(start, start + part) for start in range(0, len(ids), part)]

    def _part(self, where: slice) -> Vectors:
        vectors = self.vectors[where]
        return Vectors(self.ids[where], vectors, np.ones(len(vectors), np.float32))

    def codes(self) -> list[Part]:
        """All in blocks but the last part."""
        self.passes += 1
        *packed, last = [self._part(where) for where in self._parts]
        return [*map(codes_of, packed), last]

    def exact(self, ids: Sequence[int]) -> Vectors:
        self.read += len(ids)
        places = [self._place[number] for number in ids if number in self._place]
        return Vectors(self.ids[places], self.vectors[places], np.ones(len(places), np.float32))

    def forget(self, ids: Sequence[int]) -> None:
        for number in ids:
            del self._place[number]

    def plain(self, query: NDArray[Any], k: int) -> tuple[list[int], list[float]]:
        """Compare all that is there."""
        products = self.vectors.astype(np.float64) @ query.astype(np.float64)
        every = [(-products[place], number) for number, place in self._place.items()]
        best = sorted(every)[:k]
        return [number for _, number in best], [-product for product, _ in best]


def clusters(generator: np.random.Generator, n: int, length: int) -> NDArray[Any]:
    """Vectors about a few directions, many of them twice."""
    centres = generator.normal(size=(8, length))
    found = centres[generator.integers(8, size=n)] + 0.4 * generator.normal(size=(n, length))
    found[n // 2 :: 3] = found[: len(found[n // 2 :: 3])]
    return found


MADE: dict[str, Callable[[np.random.Generator, int, int], NDArray[Any]]] = {
    "everywhere": lambda generator, n, length: generator.normal(size=(n, length)),
    "clusters": clusters,
    "one large component": lambda generator, n, length: (
        generator.normal(size=(n, length)) + 9 * np.eye(length)[3]
    ),
    "all alike": lambda generator, n, length: np.ones((n, length)),
}


@pytest.mark.parametrize("made", list(MADE))
@pytest.mark.parametrize("k", [1, 20, 5000])
def test_the_nearest_are_those_of_comparing_all(made: str, k: int) -> None:
    generator = np.random.default_rng(3)
    ids = generator.permutation(10_000)[:2100].astype(np.int64)
    stored = Stored(MADE[made](generator, 2100, 24), ids, 300)
    for place in (0, 900, 2099):
        query = stored.vectors[place]
        found = nearest(stored.codes, stored.exact, query, k)
        wanted, cosines = stored.plain(query, k)
        assert found.ids.tolist() == wanted
        assert found.cosines.tolist() == pytest.approx(cosines, abs=1e-12)
        assert found.searched == 2100


def test_few_vectors_are_read_exactly() -> None:
    generator = np.random.default_rng(5)
    stored = Stored(generator.normal(size=(20_000, 32)), np.arange(1, 20_001), 4096)
    nearest(stored.codes, stored.exact, stored.vectors[7], 50)
    assert stored.passes == 1
    assert stored.read <= 1024


def test_vectors_that_are_gone_make_room_for_others() -> None:
    generator = np.random.default_rng(7)
    stored = Stored(generator.normal(size=(3000, 16)), np.arange(1, 3001), 500)
    query = stored.vectors[11]
    stored.forget(stored.plain(query, 40)[0])
    found = nearest(stored.codes, stored.exact, query, 30)
    assert found.ids.tolist() == stored.plain(query, 30)[0]
    assert stored.passes > 1


def test_vectors_of_another_length_are_an_error_of_the_store() -> None:
    stored = Stored(np.eye(4), np.arange(1, 5), 2)
    with pytest.raises(StoreError, match="differ in length"):
        nearest(stored.codes, stored.exact, np.ones(3, np.float16), 2)


def test_what_stops_a_search_reaches_the_thread_that_reads() -> None:
    stored = Stored(np.eye(4), np.arange(1, 5), 2)
    seen = set()

    def watched() -> Iterator[Part]:
        for part in stored.codes():
            seen.add((current(), get_ident()))
            yield part

    with Interrupt() as interrupt:
        nearest(watched, stored.exact, stored.vectors[0], 2)
    [(found, thread)] = seen
    assert found is interrupt
    assert thread != get_ident()


def test_the_first_part_is_answered_before_all() -> None:
    stored = Stored(np.random.default_rng(9).normal(size=(900, 16)), np.arange(1, 901), 300)
    query, first = stored.vectors[250], list[Nearest]()
    found = nearest(stored.codes, stored.exact, query, 20, first.append)
    [begun] = first
    assert begun.searched == 300
    stored.forget(range(301, 901))
    assert begun.ids.tolist() == stored.plain(query, 20)[0]
    assert found.searched == 900
