"""The stages in order: find what is pending, read ahead, compute, store; and stop cleanly."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from db import writes
from db.rows import Spent
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
    """
    writes.keep_stages(job.engine, job.run_id, [stage.name for stage in STAGES])
    for position, stage_class in enumerate(STAGES):
        _run_stage(stage_class(job), position, progress, stopping)


def _run_stage(
    stage: Stage[Any], position: int, progress: Progress, stopping: Callable[[], bool]
) -> None:
    job = stage.job
    total = stage.total()
    pending = stage.pending()
    done = total - len(pending)
    writes.begin_stage(
        job.engine, job.run_id, stage.name, position=position, total=total, done=done
    )
    progress.begin(stage.name, stage.unit, done, total)
    # From batch to batch, so that waiting for the disk counts too.
    began = time.perf_counter()
    for items, data in _read_ahead(stage, pending):
        _check(stopping)
        reported = 0.0

        def tick(share: float, items: Sequence[Any] = items) -> None:
            nonlocal reported
            _check(stopping)
            progress.advance(share * len(items) - reported)
            reported = share * len(items)

        stage.compute(data, tick)
        now = time.perf_counter()
        writes.progress_stage(
            job.engine, job.run_id, stage.name, items=len(items), spent=Spent(computing=now - began)
        )
        began = now
        progress.advance(len(items) - reported)
    _check(stopping)
    stage.finish()
    writes.finish_stage(job.engine, job.run_id, stage.name)
    progress.end()


def _check(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Stopped


def _read_ahead(stage: Stage[Any], pending: Sequence[Any]) -> Iterator[tuple[Sequence[Any], Any]]:
    """Yield each batch with its data, reading the next one while the caller computes."""
    size = stage.items_per_batch
    batches = [pending[start : start + size] for start in range(0, len(pending), size)]
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read") as reader:
        waiting = reader.submit(stage.read, batches[0]) if batches else None
        for index, items in enumerate(batches):
            assert waiting is not None
            data = waiting.result()
            more = index + 1 < len(batches)
            waiting = reader.submit(stage.read, batches[index + 1]) if more else None
            yield items, data
