"""What works in the processes of a Ray cluster: beside the store, and beside the networks."""

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final

from db.engine import open_read
from db.errors import StoreError
from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel
from mapcap.errors import UserError
from mapcap.indexing.batch_size import BatchSize
from mapcap.indexing.computing import Unfit, computed
from mapcap.indexing.digests import digests
from mapcap.indexing.stages.base import Fetch
from mapcap.indexing.stages.computation import Computation, Context
from mapcap.networks.devices import pick_device, pick_dtype
from mapcap.networks.loading import load_networks

COLUMN: Final = "batch"
"""Where a row of the dataset has what is passed on."""


@dataclass(frozen=True)
class Order:
    """What an actor is to compute."""

    computation: type[Computation[Any, Any, Any]]
    stage: str
    unit: str
    config: IndexConfig
    source: str
    classes: tuple[ClassLabel, ...]
    device: str
    dtype: str
    size: int
    fixed: bool
    """Whether a person chose the size of batches."""
    weights: Mapping[str, str]
    """The digests of the weights with which the run began."""
    version: str
    """The MapCap of the run."""


@dataclass(frozen=True)
class Wanted:
    """A batch that is to be computed."""

    count: int
    items: Any


@dataclass(frozen=True)
class Computed:
    """What came of a batch: parts, each with the number of its items."""

    parts: list[tuple[int, Any]]
    reading: float
    """The share of the time in which the networks waited for what is read."""


@dataclass(frozen=True)
class Refused:
    """Why a batch could not be computed: a `UserError` that is to be raised where the user is.

    Ray would wrap it into errors of its own, with their tracebacks.
    """

    reason: str


Outcome = Computed | Refused


class Fetcher:
    """Fetches items from the store, on the machine where it lies."""

    def __init__(self, store: Path, fetch: Fetch) -> None:
        self._store, self._fetch = store, fetch

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Make of a batch's items what the computation wants to know of them."""
        return _passed(batch, self._fetched)

    def _fetched(self, wanted: Wanted) -> Wanted:
        # Opened anew: who writes must be alone in the end to leave a plain file.
        engine = open_read(self._store)
        try:
            return Wanted(wanted.count, self._fetch(engine, wanted.items))
        finally:
            engine.dispose()


class Worker:
    """Computes batches with networks of its own, which it loads when the first one comes."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._computing = Lock()
        self._computation: Computation[Any, Any, Any] | None = None
        self._ended = time.perf_counter()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Compute a batch; another one may be read meanwhile, by another thread."""
        return _passed(batch, self._computed)

    def _computed(self, wanted: Wanted) -> Computed:
        order = self._order
        computation = self._loaded()
        began = time.perf_counter()
        data = computation.read(wanted.items)
        read = time.perf_counter()
        with self._computing:
            start = time.perf_counter()
            waited = min(read - began, start - self._ended)
            size = BatchSize(order.size, fixed=order.fixed)
            try:
                parts = list(computed(computation, size, wanted.count, data, lambda _: _no_tick))
            except Unfit as error:
                device = computation.context.networks.clip.device
                raise error.explain(order.stage, order.unit, device) from error
            self._ended = time.perf_counter()
        return Computed(parts, waited / (waited + self._ended - start))

    def _loaded(self) -> Computation[Any, Any, Any]:
        """Return the computation with its networks.

        Raises:
            UserError: if this machine has others than the driver's, or cannot load them.
        """
        with self._computing:
            if self._computation is None:
                order, host = self._order, socket.gethostname()
                if version("mapcap") != order.version:
                    raise UserError(
                        f"--engine ray: {host} has MapCap {version('mapcap')}, and the run is of "
                        f"{order.version}. Install the same on all nodes."
                    )
                for option, digest in (weights := digests(order.config)).items():
                    if order.weights.get(option) != digest:
                        raise UserError(_others(option, host))
                for option in order.weights.keys() - weights.keys():
                    raise UserError(_others(option, host))
                place = pick_device(order.device)
                networks = load_networks(order.config, place, pick_dtype(order.dtype, place))
                context = Context(order.config, order.source, order.classes, networks)
                self._computation = order.computation(context)
                self._ended = time.perf_counter()
        return self._computation


def _others(option: str, host: str) -> str:
    return (
        f"{option}: the weights on {host} are not those that this run began with. Give a place "
        "that all nodes share."
    )


def _passed(batch: dict[str, Any], work: Callable[[Any], Any]) -> dict[str, list[Any]]:
    """Return what `work` makes of the only row of a batch; what was refused stays so."""
    (row,) = batch[COLUMN]
    if isinstance(row, Refused):
        return {COLUMN: [row]}
    try:
        return {COLUMN: [work(row)]}
    except (UserError, StoreError) as error:
        return {COLUMN: [Refused(str(error))]}


def _no_tick(share: float) -> None:
    """Tell nobody: what an actor does is shown when it is done."""
