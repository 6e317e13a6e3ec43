"""What a dataset is now against what a run has stored of it: one question asked of one table.

A file that is as large and as old as it was read is not opened again. Of the others the content
decides: one that was only touched keeps its results.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from db.records import Box, StoredImage
from mapcap.datasets import Item, Url
from mapcap.text import counted

_ASKED_AT_ONCE: Final = 32


@dataclass(frozen=True)
class Changes:
    """What a run has to do about the files of a dataset."""

    pending: tuple[Item, ...]
    """New files, those that are not stored whole, and those below."""
    changed: tuple[Item, ...]
    """Stored whole, but larger, smaller or written since; their content may be the same."""
    relabelled: tuple[Item, ...]
    """Stored under another class."""
    retried: tuple[Item, ...]
    """Could not be opened at all when they were tried."""
    gone: tuple[StoredImage, ...]
    """Stored, and no file of the dataset any more."""
    boxes: Mapping[int, Box | None]
    """The boxes that are others than those stored, by image id."""

    @property
    def none(self) -> bool:
        """Whether the run has all files as they are."""
        return not (self.pending or self.gone or self.boxes)

    def describe(self) -> str:
        """Say in one line what changed since the files were stored, "" if nothing did."""
        counts = (
            (len(self.changed), "written since"),
            (len(self.relabelled), "with another class"),
            (len(self.gone), "gone"),
            (len(self.retried), "tried again"),
            (len(self.boxes), "with another box"),
        )
        parts = [f"{counted(count, 'image')} {how}" for count, how in counts if count]
        return f"changed since: {', '.join(parts)}" if parts else ""


def compare(
    items: Sequence[Item], stored: Mapping[str, StoredImage], class_ids: Sequence[int]
) -> Changes:
    """Compare the files of a dataset with what a run has of them, by path.

    `class_ids` are the ids of the run's classes in the order of `Item.class_index`.
    """
    pending, changed, relabelled, retried = list[Item](), list[Item](), list[Item](), list[Item]()
    boxes: dict[int, Box | None] = {}
    _ask_ahead(items, stored)
    for item in items:
        before = stored.get(item.relative)
        if before is None or not before.whole:
            pending.append(item)
        elif before.class_id != class_ids[item.class_index]:
            relabelled.append(item)
        elif before.error is not None and before.file_size is None:
            retried.append(item)
        elif _was_written(item, before):
            changed.append(item)
        elif before.error is None and before.box != item.box:
            boxes[before.id] = item.box
    here = {item.relative for item in items}
    gone = tuple(image for path, image in stored.items() if path not in here)
    return Changes(
        (*pending, *relabelled, *retried, *changed),
        tuple(changed),
        tuple(relabelled),
        tuple(retried),
        gone,
        boxes,
    )


def _was_written(item: Item, before: StoredImage) -> bool:
    """Tell whether a file is not as large or as old as it was; times of old runs are not known."""
    try:
        status = item.path.stat()
    except OSError:
        return True
    if status.st_size is not None and before.file_size != status.st_size:
        return True
    if before.modified is None or status.st_mtime_ns is None:
        return status.st_size is None
    return before.modified != status.st_mtime_ns


def _ask_ahead(items: Sequence[Item], stored: Mapping[str, StoredImage]) -> None:
    """Ask for what is known of stored URLs, many at once: an answer takes as long as the way."""

    def ask(url: Url) -> None:
        with suppress(OSError):  # it is asked for again, and says so then
            url.stat()

    urls = [i.path for i in items if isinstance(i.path, Url) and i.relative in stored]
    if urls:
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            deque(pool.map(ask, urls), maxlen=0)
