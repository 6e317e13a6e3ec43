"""`mapcap index --dry-run`: what a run would take, without fetching or writing anything.

Where the networks are on this machine, two batches of the photos are run through the stages that
take the time, into a file in a temporary folder.
"""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from rich.console import Console
from sqlalchemy import Engine, text

from db import queries
from db.engine import finish, open_write
from mapcap.config import IndexConfig
from mapcap.datasets import Dataset, Item
from mapcap.indexing.batch_size import check_batch_size
from mapcap.indexing.filling import begin_job
from mapcap.indexing.local_engine import compute_here
from mapcap.indexing.pipeline import run_stage
from mapcap.indexing.stages.base import Stage
from mapcap.indexing.stages.captions import Captions
from mapcap.indexing.stages.images import Images
from mapcap.indexing.stages.pmi import Pmi
from mapcap.indexing.start import look
from mapcap.networks.devices import pick_device, pick_dtype
from mapcap.networks.downloads import downloads, megabytes_of
from mapcap.networks.loading import check_networks, load_networks
from mapcap.networks.quiet import to_the_log

_DOCUMENTED: Final = 6_500
"""Bytes of the file a photo: the embedded networks' (docs/performance.md), before any are known."""
_ON_CUDA: Final = 64
_ELSEWHERE: Final = 16
_STAGES: Final[tuple[type[Stage[Any, Any]], ...]] = (Images, Captions, Pmi)


@dataclass(frozen=True)
class Missing:
    """A download that a run would begin with."""

    option: str
    repository: str
    command: str
    megabytes: float | None
    """None where nobody says it."""


@dataclass(frozen=True)
class Trial:
    """What two batches took."""

    photos: int
    seconds: Mapping[str, float]
    """By stage, loading not included."""
    bytes_per_photo: float
    memory: float | None
    """Megabytes at the peak: the device's on CUDA, the process's elsewhere; None: not known."""


@dataclass(frozen=True)
class Plan:
    """What a run would take."""

    photos: int
    classes: int
    downloads: Sequence[Missing]
    disk: float
    """Megabytes of the file when it is filled, about."""
    trial: Trial | None
    """None where networks are missing."""
    seconds: Mapping[str, float] | None
    """Of the whole run, by stage: as many photos at the trial's rate."""


def plan(
    config: IndexConfig, *, device: str, dtype: str, batch_size: int | None, console: Console
) -> Plan:
    """Look at the photos and networks of a run, and measure two batches where that can be done.

    Raises:
        UserError: for whatever a run would refuse before it begins.
    """
    check_batch_size(batch_size)
    place = pick_device(device)
    half = pick_dtype(dtype, place)
    config, dataset = look(config, console)
    missing = [each for each in downloads(config) if not each.is_there]
    if missing:
        check_networks(config, reach=False)
        wanted = [
            Missing(each.option, each.repository, each.command, megabytes_of(each))
            for each in missing
        ]
        disk = len(dataset.items) * _DOCUMENTED / 1e6
        return Plan(len(dataset.items), len(dataset.classes), wanted, disk, None, None)
    size = batch_size or (_ON_CUDA if place.type == "cuda" else _ELSEWHERE)
    sample = _sample(dataset, size)
    with console.status("measuring two batches"), to_the_log():
        trial, sentences = _measure(config, sample, size, place, half)
    return Plan(
        len(dataset.items),
        len(dataset.classes),
        (),
        len(dataset.items) * trial.bytes_per_photo / 1e6,
        trial,
        _whole(trial, sentences, config, dataset, sample),
    )


def _sample(dataset: Dataset, size: int) -> Dataset:
    """Return two batches of photos, of as few classes as may be: PMI is of a class."""
    by_class: dict[int, list[Item]] = {}
    for item in dataset.items:
        by_class.setdefault(item.class_index, []).append(item)
    middle = len(by_class) // 2
    order = [*list(by_class)[middle:], *list(by_class)[:middle]]
    chosen = [item for index in order for item in by_class[index][:size]]
    return replace(dataset, items=tuple(chosen[: 2 * size]))


def _measure(
    config: IndexConfig, sample: Dataset, size: int, place: torch.device, half: torch.dtype | None
) -> tuple[Trial, Sequence[int]]:
    """Run a sample through the stages; return what it took, and how many sentences PMI weighed."""
    networks = load_networks(config, place, half)
    seconds: dict[str, float] = {}
    with TemporaryDirectory(prefix="mapcap-") as folder:
        engine = open_write(Path(folder) / "trial.db")
        try:
            job = begin_job(config, sample, networks, engine, size, str(place))
            before = _bytes(engine)
            for position, stage in enumerate(_STAGES):
                began = time.perf_counter()
                run_stage(stage(job), position, _Unwatched(), lambda: False, compute_here)
                seconds[stage.name] = time.perf_counter() - began
            stored = (queries.pmi(engine, class_id) for class_id in job.class_ids)
            sentences = [len(each.texts) for each in stored if each is not None and each.texts]
            grown = _bytes(engine) - before
        finally:
            finish(engine)
    photos = len(sample.items)
    return Trial(photos, seconds, grown / photos, _memory(place)), sentences


def _whole(
    trial: Trial,
    sentences: Sequence[int],
    config: IndexConfig,
    dataset: Dataset,
    sample: Dataset,
) -> dict[str, float]:
    """Return the seconds of a whole run: photos and captions grow with photos, PMI with pairs."""
    times = len(dataset.items) / trial.photos
    seconds = {name: spent * times for name, spent in trial.seconds.items()}
    measured = sum(count**2 for count in sentences)
    if measured:
        a_photo = sum(sentences) / len(sample.items)
        counts = Counter(item.class_index for item in dataset.items).values()
        pairs = sum(min(config.max_sentences, count * a_photo) ** 2 for count in counts)
        seconds[Pmi.name] = trial.seconds[Pmi.name] * pairs / measured
    return seconds


class _Unwatched:
    """Progress that nobody sees."""

    def begin(self, stage: str, unit: str, done: int, total: int) -> None:
        """Show nothing."""

    def advance(self, items: float) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Show nothing."""


def _bytes(engine: Engine) -> int:
    """Return the size of a file's pages, those in its log as well."""
    with engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
    return int(pages) * int(size)


def _memory(place: torch.device) -> float | None:
    """Return the peak of memory in megabytes."""
    if place.type == "cuda":
        return torch.cuda.max_memory_allocated(place) / 1e6
    if sys.platform == "win32":
        return None
    import resource

    # macOS counts bytes, all others kibibytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
