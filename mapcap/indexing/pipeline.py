"""The stages in order: find what is pending, have it computed, store it; and stop cleanly."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from db import queries, writes
from db.rows import Spent
from mapcap.indexing.feeding import stored_behind
from mapcap.indexing.local_engine import Compute, compute_here
from mapcap.indexing.memory import FreeMemory
from mapcap.indexing.progress import Progress, check
from mapcap.indexing.stages import STAGES
from mapcap.indexing.stages.base import Job, Stage


def run_stages(
    job: Job, progress: Progress, stopping: Callable[[], bool], compute: Compute = compute_here
) -> None:
    """Work through all stages, skipping what is stored already.

    `stopping` is asked after every batch, and within long ones.

    Raises:
        Stopped: if `stopping` said so; the batches finished until then are stored.
        UserError: if the device's memory does not suffice, or the photos went away.
    """
    writes.keep_stages(job.engine, job.run_id, [stage.name for stage in STAGES])
    for position, stage_class in enumerate(STAGES):
        run_stage(stage_class(job), position, progress, stopping, compute)


def run_stage(
    stage: Stage[Any, Any],
    position: int,
    progress: Progress,
    stopping: Callable[[], bool],
    compute: Compute,
) -> None:
    """Work through what is pending of a stage; see `run_stages`."""
    store, run_id = stage.job.engine, stage.job.run_id
    memory = FreeMemory()
    memory.give_back()  # what the stage before had
    _take_over(stage, progress, stopping)
    total = stage.total()
    pending = stage.pending()
    done = total - len(pending)
    writes.begin_stage(
        store, run_id, stage.name, position=position, total=total, done=done, key=stage.key
    )
    progress.begin(stage.name, stage.unit, done, total)
    watch = _Watch()
    # Whatever ends this: nothing goes on to read, compute or write behind it.
    with (
        stored_behind() as behind,
        closing(compute(stage, pending, progress, stopping)) as batches,
    ):
        for batch in batches:
            spent = Spent(batch.reading, watch.seconds() - batch.reading, watch.waited)
            behind.put(_storing(stage, batch.result, batch.count, spent))
            watch.waited = watch.seconds()
            memory.give_back()
        behind.drain()
        rest = Spent(writing=watch.waited + watch.seconds())
        writes.progress_stage(store, run_id, stage.name, items=0, spent=rest)
    check(stopping)
    stage.finish()
    writes.finish_stage(store, run_id, stage.name)
    progress.end()


def _take_over(stage: Stage[Any, Any], progress: Progress, stopping: Callable[[], bool]) -> None:
    """Take over what other runs of the file have of a stage, and say so."""
    if not stage.key:
        return
    job = stage.job
    for source in queries.runs_sharing(job.engine, job.run_id, stage.name, stage.key):
        check(stopping)
        taken = stage.take_over(source)
        if taken:
            progress.note(f"{stage.name}: {taken:,} {stage.unit} taken over from run {source}")


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
