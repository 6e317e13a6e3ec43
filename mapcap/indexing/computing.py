"""One batch through the networks: whole, or in parts where it is too large for the device."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch

from mapcap.errors import UserError
from mapcap.indexing.batch_size import BatchSize


class Computes(Protocol):
    """A stage, or the computation of one."""

    def compute(self, data: Any, tick: Callable[[float], None]) -> Any:
        """See `Stage.compute`."""

    def halves(self, data: Any) -> Sequence[tuple[int, Any]]:
        """See `Stage.halves`."""


class Unfit(Exception):
    """The device's memory does not suffice for a batch, and it cannot be halved."""

    def __init__(self, count: int, size: BatchSize) -> None:
        super().__init__(count)
        self.count = count
        self._smaller = size.now if size.fixed and size.now > 1 else None

    def explain(self, stage: str, unit: str, device: torch.device) -> UserError:
        """Say so, with what to do."""
        advice = (
            "free memory there, or name another --device or smaller networks"
            if self._smaller is None
            else f"give a smaller --batch-size than {self._smaller}, or leave it out"
        )
        return UserError(
            f"{stage}: the memory of --device {device} does not suffice for {self.count} {unit} at "
            f"once. What was finished is stored; {advice}, and the same command goes on from here."
        )


def computed(
    of: Computes,
    size: BatchSize,
    count: int,
    data: Any,
    ticking: Callable[[int], Callable[[float], None]],
) -> Iterator[tuple[int, Any]]:
    """Yield what is computed of a batch of `count` items, in parts where that is too many.

    Each part comes with the number of its items; `ticking` returns the tick of a part of so many.

    Raises:
        Unfit: if memory does not suffice and a person chose the size, or it cannot be halved.
    """
    halves: Sequence[tuple[int, Any]] = ()
    began = time.perf_counter()
    try:
        result = of.compute(data, ticking(count))
    except torch.OutOfMemoryError as error:
        halves = () if size.fixed else of.halves(data)
        if not halves:
            raise Unfit(count, size) from error
    if not halves:
        size.worked(count, time.perf_counter() - began)
        yield count, result
        return
    # Here the error is gone, and with it what its frames held of the device's memory.
    size.too_large(count)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    for part_count, part in halves:
        yield from computed(of, size, part_count, part, ticking)
