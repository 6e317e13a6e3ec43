"""What all stages share: the job they work for, and the shape of a stage."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Engine

from db.records import StoredImage
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset
from mapcap.indexing.changes import Changes
from mapcap.networks.loading import Networks

Data = TypeVar("Data")


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
    paths: Mapping[str, Path]
    """Where the image stored under a path lies."""
    batch_size: int
    changes: Changes
    """What is to be done about the files."""
    stored: Mapping[str, StoredImage]
    """What the run had of each file when it was taken up, by path."""


class Stage(ABC, Generic[Data]):
    """A step of the pipeline: finds what is not stored yet, and computes it batch by batch.

    The pipeline calls `read` for the next batch in a thread of its own while `compute` works on
    the one before: what needs the disk belongs in `read`, what needs the networks in `compute`.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    """What is counted, in the plural."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @abstractmethod
    def total(self) -> int:
        """Return the number of items, done or not."""

    @abstractmethod
    def pending(self) -> Sequence[Any]:
        """Return the items that are not stored yet."""

    @abstractmethod
    def read(self, items: Sequence[Any]) -> Data:
        """Fetch what the computation of a batch needs."""

    @abstractmethod
    def compute(self, data: Data, tick: Callable[[float], None]) -> None:
        """Compute and store a batch; `tick` takes the share of it that is done, for long ones.

        `tick` raises when the user wants to stop; nothing of the batch is stored then.
        """

    def finish(self) -> None:
        """Store the figures that need the whole stage."""

    @property
    def items_per_batch(self) -> int:
        """Number of items in a batch."""
        return self.job.batch_size
