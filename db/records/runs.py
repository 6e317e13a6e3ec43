"""Records of runs and their stages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

RunStatus = Literal["running", "interrupted", "failed", "done"]
StageStatus = Literal["running", "done"]


@dataclass(frozen=True, slots=True)
class Run:
    """One configuration applied to one dataset."""

    id: int
    config_hash: str
    config: dict[str, Any]
    preset: str
    dataset: str
    networks: dict[str, Any]
    versions: dict[str, Any]
    host: str
    device: str
    started: datetime
    finished: datetime | None
    status: RunStatus
    notes: list[str]

    @property
    def representation(self) -> str:
        """The representation that the run's regions are embedded under."""
        return str(self.config.get("representation", "pooled"))

    @property
    def unlabelled(self) -> bool:
        """Whether nobody says what is in the photos: their classes are the predicted ones."""
        return bool(self.config.get("unlabelled"))

    @property
    def resize_mode(self) -> str:
        """How a picture became the network's input: shortest, longest or squash."""
        return str(self.networks.get("resize_mode", "shortest"))


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one stage of a run has come; `seconds` add up over all its sessions.

    They went by in waiting for what is read (`reading`), at work on it (`computing`) and in
    waiting for what is stored (`writing`); of what an older MapCap stored these three are 0.
    """

    name: str
    position: int
    done: int
    total: int
    seconds: float
    items_per_second: float | None
    status: StageStatus
    reading: float = 0.0
    computing: float = 0.0
    writing: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one job to fill a file: who has it, since when, and when it was last renewed."""

    host: str
    process: int
    started: datetime
    renewed: datetime


@dataclass(frozen=True, slots=True)
class RunTotals:
    """The sums over a run's classes, as last aggregated; `agreed`, `correct` as in `ClassName`."""

    classes: int
    images: int
    readable: int
    predicted: int
    correct: int | None
    agreed: int | None = None
    without_images: int = 0
    """Classes that no image has."""


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How much a run holds; images, readable, predicted and correct are as last aggregated.

    `correct` as in `ClassName`.
    """

    classes: int
    images: int
    readable: int
    predicted: int
    correct: int | None
    regions: int
    captions: int
    without_images: int = 0
    """Classes that no image has."""
