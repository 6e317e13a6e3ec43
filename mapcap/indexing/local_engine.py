"""`--engine local`: batches are read ahead in threads and computed in this process."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mapcap.indexing.computing import Unfit, computed
from mapcap.indexing.feeding import read_ahead
from mapcap.indexing.progress import Progress, check
from mapcap.indexing.stages.base import Stage


@dataclass(frozen=True)
class Batch:
    """A batch that is to be stored."""

    count: int
    result: Any
    reading: float
    """Seconds in which the networks waited for what is read."""


Compute = Callable[
    [Stage[Any, Any], Sequence[Any], Progress, Callable[[], bool]], Generator[Batch, None, None]
]
"""Computes what is pending of a stage and yields it in that order, batch by batch.

Tells `Progress` how far it is, and asks after every batch whether it is to stop.
"""


def compute_here(
    stage: Stage[Any, Any],
    pending: Sequence[Any],
    progress: Progress,
    stopping: Callable[[], bool],
) -> Generator[Batch, None, None]:
    """Compute the batches of a stage in this process.

    Raises:
        Stopped: if `stopping` said so.
        UserError: if the device's memory does not suffice.
    """
    reported = 0.0

    def ticking(count: int) -> Callable[[float], None]:
        check(stopping)

        def tick(share: float) -> None:
            nonlocal reported
            check(stopping)
            progress.advance(share * count - reported)
            reported = share * count

        return tick

    with closing(read_ahead(stage, pending, lambda: stage.size.now)) as batches:
        began = time.perf_counter()
        for items, data in batches:
            reading = time.perf_counter() - began
            try:
                for count, result in computed(stage, stage.size, len(items), data, ticking):
                    progress.advance(count - reported)
                    yield Batch(count, result, reading)
                    reported = reading = 0.0
            except Unfit as error:
                device = stage.job.networks.clip.device
                raise error.explain(stage.name, stage.unit, device) from error
            began = time.perf_counter()
