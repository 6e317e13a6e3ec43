"""Reading the pictures of a batch, several at a time."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from db import queries, writes
from db.records import ImageTask
from mapcap.datasets import LoadedImage, read_image
from mapcap.indexing.stages.base import Job

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Pictures:
    """The readable images of a batch: `tasks` and `views` (B, 3, H, W), in the same order."""

    tasks: list[ImageTask]
    views: Tensor


def at_once(function: Callable[[_Given], _Made], items: Iterable[_Given]) -> list[_Made]:
    """Apply a function that reads pictures to items, in threads: Pillow works without the GIL."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(function, items))


def load(job: Job, stored_path: str) -> LoadedImage:
    """Read the image that is stored under a path."""
    return read_image(job.paths[stored_path])


def read_pictures(job: Job, image_ids: Sequence[int]) -> Pictures:
    """Read images and preprocess them as the CLIP wants them.

    An image that cannot be read any more is marked so in the store and left out.
    """
    tasks = queries.image_tasks(job.engine, image_ids)

    def view(task: ImageTask) -> Tensor | str:
        loaded = load(job, task.path)
        if loaded.image is None:
            return loaded.error or "cannot be read"
        return job.networks.clip.preprocess(loaded.image)

    found = list(zip(tasks, at_once(view, tasks), strict=True))
    lost = [(task.id, error) for task, error in found if isinstance(error, str)]
    writes.mark_unreadable(job.engine, lost)
    read = [(task, view) for task, view in found if isinstance(view, Tensor)]
    views = [view for _, view in read]
    stacked = torch.stack(views) if views else torch.empty(0, 3, *job.networks.clip.size)
    return Pictures([task for task, _ in read], stacked)
