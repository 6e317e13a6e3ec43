"""Reading the pictures of a batch, several at a time."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from mapcap.datasets import LoadedImage, Place, read_image
from mapcap.errors import UserError
from mapcap.text import clean

_MOST_THREADS: Final = 32
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def at_once(function: Callable[[_Given], _Made], items: Iterable[_Given]) -> list[_Made]:
    """Apply a function that reads pictures to items, in threads: Pillow works without the GIL.

    The threads serve all callers, the first one first: the end of one batch is read together with
    the beginning of the next.
    """
    return list(_pool().map(function, items))


@cache
def _pool() -> ThreadPoolExecutor:
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # a job may have been given fewer than there are
        cores = len(os.sched_getaffinity(0))
    return ThreadPoolExecutor(min(_MOST_THREADS, cores), thread_name_prefix="decode")


def load(source: str, stored_path: str, place: Place | None) -> LoadedImage:
    """Read again the image that is stored under a path, where it lies now.

    Raises:
        UserError: for one that was read before and cannot even be opened now.
    """
    loaded = LoadedImage(error="no such file") if place is None else read_image(place)
    if loaded.content_hash is None:
        raise unreachable(source, stored_path, loaded.error)
    return loaded


def unreachable(source: str, stored_path: str, error: str | None) -> UserError:
    """Return the error that ends a run whose photos have gone away."""
    return UserError(
        f"{clean(source)}: {clean(stored_path)} cannot be read any more ({error}). If a disk or a "
        "server went away, bring it back; the same command goes on from here."
    )
