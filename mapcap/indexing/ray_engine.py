"""`--engine ray`: the computations of stages in actors of Ray Data, on this machine or on many.

A stage's pending batches are a dataset. One actor beside the store fetches what its computation
wants to know, actors with the networks read photos and compute, and the results come back here in
the order of the batches, to be stored by the one writer. What a killed actor was at is Ray's to do
again; what was not stored yet is pending when the driver is killed.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import ray
import ray.data
from ray.exceptions import RayError, RayTaskError, UserCodeException

from mapcap.errors import UserError
from mapcap.indexing.local_engine import Batch, compute_here
from mapcap.indexing.progress import Progress, check
from mapcap.indexing.ray_actors import COLUMN, Fetcher, Order, Outcome, Refused, Wanted, Worker
from mapcap.indexing.ray_options import RayOptions
from mapcap.indexing.stages.base import PortableStage, Stage

_NODE: Final = "ray.io/node-id"
"""The label by which Ray knows a node."""
_AT_ONCE: Final = 2
"""Batches in an actor: one is read while the other is computed."""


@dataclass(frozen=True)
class RayEngine:
    """Computes portable stages in the actors of a cluster, and the others in this process."""

    actors: int
    device: str
    """`cpu` or `cuda`: of every actor."""
    dtype: str

    def describe(self) -> str:
        """Say on what a run is computed."""
        return f"ray, {self.actors} x {self.device}"

    def __call__(
        self,
        stage: Stage[Any, Any],
        pending: Sequence[Any],
        progress: Progress,
        stopping: Callable[[], bool],
    ) -> Generator[Batch, None, None]:
        """Compute what is pending of a stage; see `local_engine.Compute`.

        Raises:
            Stopped: if `stopping` said so.
            UserError: if photos, networks or memory are wanting somewhere, or the cluster is gone.
        """
        if not isinstance(stage, PortableStage):
            yield from compute_here(stage, pending, progress, stopping)
            return
        if not pending:
            return
        check(stopping)
        began = time.perf_counter()
        with closing(self._outcomes(stage, pending)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Refused):
                    raise UserError(outcome.reason)
                reading = outcome.reading * (time.perf_counter() - began)
                for count, result in outcome.parts:
                    progress.advance(count)
                    yield Batch(count, result, reading)
                    reading = 0.0
                check(stopping)
                began = time.perf_counter()

    def _outcomes(
        self, stage: PortableStage[Any, Any], pending: Sequence[Any]
    ) -> Generator[Outcome, None, None]:
        """Yield what comes of each batch, in their order."""
        size = stage.size.now
        batches = [
            {COLUMN: Wanted(len(items), items)}
            for items in (pending[at : at + size] for at in range(0, len(pending), size))
        ]
        dataset = ray.data.from_items(batches, override_num_blocks=len(batches))
        if stage.fetch is not None:
            store = Path(str(stage.job.engine.url.database)).absolute()
            dataset = dataset.map_batches(
                Fetcher,
                fn_constructor_args=(store, stage.fetch),
                compute=ray.data.ActorPoolStrategy(size=1),
                batch_size=1,
                num_cpus=0,
                label_selector={_NODE: ray.get_runtime_context().get_node_id()},
            )
        dataset = dataset.map_batches(
            Worker,
            fn_constructor_args=(self._order(stage),),
            compute=ray.data.ActorPoolStrategy(
                size=self.actors,
                max_concurrent_calls_per_actor=_AT_ONCE,
                enable_true_multi_threading=True,
            ),
            batch_size=1,
            **{"num_gpus" if self.device == "cuda" else "num_cpus": 1},
        )
        try:
            for row in dataset.iter_rows():
                yield row[COLUMN]
        except (RayTaskError, UserCodeException):
            raise  # a fault of ours, with its traceback
        except RayError as error:
            raise UserError(
                f"--engine ray: {_first_line(error)}. What was finished is stored; the same "
                "command goes on from here."
            ) from error

    def _order(self, stage: PortableStage[Any, Any]) -> Order:
        job = stage.job
        return Order(
            computation=stage.computation_class,
            stage=stage.name,
            unit=stage.unit,
            config=job.config,
            source=job.dataset.source,
            classes=job.dataset.classes,
            device=self.device,
            dtype=self.dtype,
            size=stage.size.now,
            fixed=stage.size.fixed,
            weights=job.weights,
            version=version("mapcap"),
        )


@contextmanager
def joined(options: RayOptions, device: str, dtype: str) -> Iterator[RayEngine]:
    """Join a cluster, or start one of this machine, and leave it after the block.

    Raises:
        UserError: if it cannot be joined, or has not what the options ask for.
    """
    # Between progress bars; Ray keeps all of it in its own logs.
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        ray.init(
            address=options.address or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if options.address is None else None,
        )
    except Exception as error:  # Ray raises what it likes here, a plain Exception too
        named = f"--address {options.address}" if options.address else "--engine ray"
        raise UserError(f"{named}: Ray cannot be reached ({_first_line(error)}).") from error
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        yield RayEngine(*_fitting(options, device, ray.cluster_resources()), dtype)
    finally:
        ray.shutdown()


def _fitting(options: RayOptions, device: str, resources: dict[str, float]) -> tuple[int, str]:
    """Return how many actors there are to be, and on what, in a cluster of such resources."""
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    if device == "auto":
        device = "cuda" if gpus else "cpu"
    if device == "cuda":
        if not gpus:
            raise UserError("--device cuda: no node of the Ray cluster has a GPU.")
        actors, most, of = options.actors or gpus, gpus, "GPU"
    else:
        if options.actors is None:
            raise UserError(
                f"--engine ray: without GPUs say with --actors how many there are to be; the "
                f"cluster has {cpus} CPUs, and every actor takes one and loads the networks."
            )
        actors, most, of = options.actors, cpus, "CPU"
    if actors > most:
        raise UserError(
            f"--actors {actors}: the Ray cluster has {of}s for {most}, one for each actor."
        )
    return actors, device


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
