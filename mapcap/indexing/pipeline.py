"""The stages in order: find what is pending, read ahead, compute, store; and stop cleanly."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

import torch

from db import writes
from db.rows import Spent
from mapcap.errors import UserError
from mapcap.indexing.feeding import read_ahead, stored_behind
from mapcap.indexing.stages import STAGES
from mapcap.indexing.stages.base import Job, Stage


class Stopped(Exception):
    """The user asked to stop; everything finished so far is stored."""


class Progress(Protocol):
    """Somebody who watches the run."""

    def begin(self, stage: str, unit: str, done: int, total: int) -> None:
        """A stage begins with `done` of its `total` items already stored."""

    def advance(self, items: float) -> None:
        """So many items more are done; a share of one where items take long."""

    def end(self) -> None:
        """Nothing is left to do in the stage."""


def run_stages(job: Job, progress: Progress, stopping: Callable[[], bool]) -> None:
    """Work through all stages, skipping what is stored already.

    `stopping` is asked after every batch, and within long ones.

    Raises:
        Stopped: if `stopping` said so; the batches finished until then are stored.
        UserError: if the device's memory does not suffice.
    """
    writes.keep_stages(job.engine, job.run_id, [stage.name for stage in STAGES])
    for position, stage_class in enumerate(STAGES):
        run_stage(stage_class(job), position, progress, stopping)


def run_stage(
    stage: Stage[Any, Any], position: int, progress: Progress, stopping: Callable[[], bool]
) -> None:
    """Work through what is pending of a stage; see `run_stages`."""
    engine, run_id = stage.job.engine, stage.job.run_id
    total = stage.total()
    pending = stage.pending()
    done = total - len(pending)
    writes.begin_stage(engine, run_id, stage.name, position=position, total=total, done=done)
    progress.begin(stage.name, stage.unit, done, total)
    watch = _Watch()
    # Whatever ends this: no thread goes on to read or write behind it.
    with (
        stored_behind() as behind,
        closing(read_ahead(stage, pending, lambda: stage.size.now)) as batches,
    ):
        for items, data in batches:
            reading = watch.seconds()
            for count, result in _computed(stage, len(items), data, progress, stopping):
                spent = Spent(reading, watch.seconds(), watch.waited)
                behind.put(_storing(stage, result, count, spent))
                reading, watch.waited = 0.0, watch.seconds()
        behind.drain()
        rest = Spent(writing=watch.waited + watch.seconds())
        writes.progress_stage(engine, run_id, stage.name, items=0, spent=rest)
    _check(stopping)
    stage.finish()
    writes.finish_stage(engine, run_id, stage.name)
    progress.end()


class _Watch:
    """Tells the seconds since it was last asked, so that none are counted twice or not at all."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.waited = 0.0
        """Seconds that the batch before waited to be stored: known when it has been handed over."""

    def seconds(self) -> float:
        now = time.perf_counter()
        passed, self._last = now - self._last, now
        return passed


def _storing(stage: Stage[Any, Any], result: Any, count: int, spent: Spent) -> Callable[[], None]:
    """Return what the writing thread does with a batch."""

    def store() -> None:
        stage.store(result)
        job = stage.job
        writes.progress_stage(job.engine, job.run_id, stage.name, items=count, spent=spent)

    return store


def _computed(
    stage: Stage[Any, Any],
    count: int,
    data: Any,
    progress: Progress,
    stopping: Callable[[], bool],
) -> Iterator[tuple[int, Any]]:
    """Yield what is computed of a batch: whole, or in parts where it is too large for the device.

    Each comes with the number of its items.
    """
    _check(stopping)
    halves: Sequence[tuple[int, Any]] = ()
    began = time.perf_counter()
    try:
        result = _compute(stage, count, data, progress, stopping)
    except torch.OutOfMemoryError as error:
        halves = _smaller(stage, count, data, error)
    if not halves:
        stage.size.worked(count, time.perf_counter() - began)
        yield count, result
        return
    # Here the error is gone, and with it what its frames held of the device's memory.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    for part_count, part in halves:
        yield from _computed(stage, part_count, part, progress, stopping)


def _compute(
    stage: Stage[Any, Any],
    count: int,
    data: Any,
    progress: Progress,
    stopping: Callable[[], bool],
) -> Any:
    """Compute a batch, and tell how far it is."""
    reported = 0.0

    def tick(share: float) -> None:
        nonlocal reported
        _check(stopping)
        progress.advance(share * count - reported)
        reported = share * count

    result = stage.compute(data, tick)
    progress.advance(count - reported)
    return result


def _smaller(
    stage: Stage[Any, Any], count: int, data: Any, error: torch.OutOfMemoryError
) -> Sequence[tuple[int, Any]]:
    """Return the two halves of a batch for which memory did not suffice; make the next smaller.

    Raises:
        UserError: if it cannot be halved, or a person chose its size.
    """
    halves = () if stage.size.fixed else stage.halves(data)
    if not halves:
        chosen = stage.size.fixed and stage.size.now > 1
        advice = (
            f"give a smaller --batch-size than {stage.size.now}, or leave it out"
            if chosen
            else "free memory there, or name another --device or smaller networks"
        )
        raise UserError(
            f"{stage.name}: the memory of --device {stage.job.networks.clip.device} does not "
            f"suffice for {count} {stage.unit} at once. What was finished is stored; {advice}, "
            "and the same command goes on from here."
        ) from error
    stage.size.too_large(count)
    return halves


def _check(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Stopped
