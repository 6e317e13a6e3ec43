"""What all stages share: the job they work for, and the shape of a stage."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from sqlalchemy import Engine

from db.records import StoredImage
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, Place
from mapcap.indexing.batch_size import BatchSize
from mapcap.indexing.changes import Changes
from mapcap.indexing.stages.computation import Computation, Context, Data, Result
from mapcap.networks.loading import Networks


@dataclass(frozen=True)
class Job:
    """A run at work: what to compute, on what, with what, into which store."""

    config: IndexConfig
    dataset: Dataset
    networks: Networks
    engine: Engine
    run_id: int
    class_ids: tuple[int, ...]
    """The store's id of each class, in the order of the logits."""
    paths: Mapping[str, Place]
    """Where the image stored under a path lies."""
    weights: Mapping[str, str]
    """What the weights behind paths are (`digests`)."""
    keys: Mapping[str, str]
    """What the results of stages depend on (`stage_keys`), by their names."""
    batch_size: int | None
    """Items in a batch as a person chose it; None: what fits and pays."""
    changes: Changes
    """What is to be done about the files."""
    stored: Mapping[str, StoredImage]
    """What the run had of each file when it was taken up, by path."""

    @property
    def context(self) -> Context:
        """What of this a computation may know."""
        return Context(self.config, self.dataset.source, self.dataset.classes, self.networks)


class Stage(ABC, Generic[Data, Result]):
    """A step of the pipeline: finds what is not stored yet, and computes it batch by batch.

    The pipeline calls `read` for the next batches in threads of their own while `compute` works on
    the one before, and `store` in one thread behind it: what needs the disk belongs in `read`, what
    needs the networks in `compute`, what writes in `store`.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    """What is counted, in the plural."""
    ahead: ClassVar[int] = 1
    """Batches that are read while one is computed."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.size = self.first_size()

    @property
    def key(self) -> str:
        """What its result depends on; empty for a stage that shares nothing."""
        return self.job.keys.get(self.name, "")

    @abstractmethod
    def total(self) -> int:
        """Return the number of items, done or not."""

    def take_over(self, run_id: int) -> int:
        """Take over what another run with the same key has; return how many items that were."""
        return 0

    @abstractmethod
    def pending(self) -> Sequence[Any]:
        """Return the items that are not stored yet."""

    @abstractmethod
    def read(self, items: Sequence[Any]) -> Data:
        """Fetch what the computation of a batch needs."""

    @abstractmethod
    def compute(self, data: Data, tick: Callable[[float], None]) -> Result:
        """Compute a batch; `tick` takes the share of it that is done, for long ones.

        `tick` raises when the user wants to stop; nothing of the batch is stored then.
        """

    @abstractmethod
    def store(self, result: Result) -> None:
        """Store what `compute` returned."""

    def halves(self, data: Data) -> Sequence[tuple[int, Data]]:
        """Return a batch in two, each with the number of its items; nothing if it cannot be."""
        return ()

    def finish(self) -> None:
        """Store the figures that need the whole stage."""

    def first_size(self) -> BatchSize:
        """Return how many items the first batch has, and whether the next ones may have others."""
        return BatchSize(1)


Fetch = Callable[[Engine, Sequence[Any]], Any]
"""Makes of items, from the store, what the computation wants to know of them; can be pickled."""


class PortableStage(Stage[Data, Result]):
    """A stage whose computation may run on other machines, beside networks that are loaded there.

    What it wants to know comes from here, and what it computes is stored here, by one writer.
    """

    computation_class: ClassVar[type[Computation[Any, Any, Any]]]

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.computation = self.computation_class(job.context)
        self.fetch = self.fetching()

    def fetching(self) -> Fetch | None:
        """Return what fetches items from the store; None if an item says all by itself."""
        return None

    def read(self, items: Sequence[Any]) -> Data:  # noqa: D102
        wanted = items if self.fetch is None else self.fetch(self.job.engine, items)
        data: Data = self.computation.read(wanted)
        return data

    def compute(self, data: Data, tick: Callable[[float], None]) -> Result:  # noqa: D102
        result: Result = self.computation.compute(data, tick)
        return result

    def halves(self, data: Data) -> Sequence[tuple[int, Data]]:  # noqa: D102
        return self.computation.halves(data)
