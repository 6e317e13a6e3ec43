"""How many photos go through the networks at once: what the device holds, and what pays."""

from typing import Final, Protocol, Self, TypeVar

from mapcap.config import MOST
from mapcap.errors import UserError

START: Final = 64
_MOST: Final = 512
"""Photos in a batch: more would hold the next ones in the machine's memory, not only the device's.
"""
_WARM_UP: Final = 1
"""Batches of a new size that are not timed: kernels are chosen, memory is asked for."""
_TIMED: Final = 3
_PAYS: Final = 1.05
"""How much faster photos must pass at twice the size."""


def check_batch_size(chosen: int | None) -> None:
    """Check the size that a person chose, if one did.

    Raises:
        UserError: for a size that no batch can have.
    """
    if chosen is not None and not 1 <= chosen <= MOST:
        raise UserError(f"--batch-size {chosen}: a batch has at least one image, and not all.")


class BatchSize:
    """The size of the next batch: doubled while it fits and pays, halved where memory runs out."""

    def __init__(self, start: int = START, *, fixed: bool = False, grows: bool = False) -> None:
        self.now = start
        self.fixed = fixed
        """Whether a person chose it: it is never changed then."""
        self._grows = grows and not fixed
        self._rates: list[float] = []
        self._rate_before = 0.0

    @classmethod
    def first(
        cls, chosen: int | None, *, most: int | None = None, grows: bool = False
    ) -> "BatchSize":
        """Return the size that a person chose, else the usual one, of at most `most`."""
        size = chosen or START
        return cls(min(size, most or size), fixed=chosen is not None, grows=grows)

    def worked(self, items: int, seconds: float) -> None:
        """Learn how long a batch took; where a few of one size went well, try twice that size."""
        if not self._grows or items != self.now or seconds <= 0:
            return  # read before the size changed, or the last of a stage
        self._rates.append(items / seconds)
        if len(self._rates) < _WARM_UP + _TIMED:
            return
        rate = max(self._rates[_WARM_UP:])
        if rate < self._rate_before * _PAYS:
            self._stay(self.now // 2)
        elif self.now * 2 > _MOST:
            self._stay(self.now)
        else:
            self._rate_before, self._rates = rate, []
            self.now *= 2

    def too_large(self, items: int) -> None:
        """Learn that the device's memory did not suffice for a batch of so many items."""
        self._stay(min(self.now, max(1, items // 2)))

    def _stay(self, size: int) -> None:
        self.now, self._grows = size, False


class Divisible(Protocol):
    """A batch that can be taken in parts."""

    def __len__(self) -> int:
        """Return the number of items."""

    def part(self, start: int, end: int) -> Self:
        """Return the items from one place to another."""


Batch = TypeVar("Batch", bound=Divisible)


def in_halves(batch: Batch) -> list[tuple[int, Batch]]:
    """Return a batch in two, each with the number of its items; nothing of fewer than two."""
    count, middle = len(batch), len(batch) // 2
    ends = [(0, middle), (middle, count)] if middle else []
    return [(end - start, batch.part(start, end)) for start, end in ends]
