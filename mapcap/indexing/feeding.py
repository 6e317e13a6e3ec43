"""Keeping the networks busy: batches are read ahead in threads, and stored behind in another.

Whatever the threads do, batches come out in order, and are stored in order by a single thread.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from mapcap.indexing.stages.base import Stage

_UNSTORED: Final = 2
"""Batches that wait to be stored, before the next one waits for them."""


def read_ahead(
    stage: Stage[Any, Any], pending: Sequence[Any], size: Callable[[], int]
) -> Generator[tuple[Sequence[Any], Any], None, None]:
    """Yield each batch with its data; `stage.ahead` more are read while the caller computes.

    `size` is asked for each batch when its reading begins.
    """
    waiting: deque[tuple[Sequence[Any], Future[Any]]] = deque()
    begun = 0

    def read_on() -> None:
        nonlocal begun
        while begun < len(pending) and len(waiting) < stage.ahead:
            items = pending[begun : begun + size()]
            waiting.append((items, readers.submit(stage.read, items)))
            begun += len(items)

    readers = ThreadPoolExecutor(stage.ahead, thread_name_prefix="read")
    try:
        read_on()
        while waiting:
            items, reading = waiting.popleft()
            data = reading.result()
            read_on()
            yield items, data
    finally:
        readers.shutdown(cancel_futures=True)


class StoredBehind:
    """Takes what is to be stored and lets one thread store it, in order."""

    def __init__(self, writer: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._waiting: deque[Future[None]] = deque()

    def put(self, store: Callable[[], None]) -> None:
        """Hand over a write; waits while too many wait. Raises what an earlier one raised."""
        while len(self._waiting) >= _UNSTORED:
            self._waiting.popleft().result()
        self._waiting.append(self._writer.submit(store))

    def drain(self) -> None:
        """Wait until everything is stored. Raises what a write raised."""
        while self._waiting:
            self._waiting.popleft().result()


@contextmanager
def stored_behind() -> Iterator[StoredBehind]:
    """Let a thread store what is computed; after the block all of it is stored, or it raises.

    An end by Ctrl-C or an error is no exception: what was computed before is stored.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="write") as writer:
        behind = StoredBehind(writer)
        try:
            yield behind
        finally:
            behind.drain()
