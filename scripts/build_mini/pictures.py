"""Photos to measure on: lists of files with their classes, and how the network reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapcap.networks.clip import Clip
from scripts.build_mini import photos as archive
from scripts.build_mini.classes import read_classes, split_classes

BATCH = 64
KEPT_OUT_PHOTOS = 100


@dataclass(frozen=True)
class Photos:
    """Some photos, and the class of each as an index into `names`."""

    names: list[str]
    paths: list[Path]
    classes: NDArray[np.int64]

    def pick(self, rows: Sequence[int]) -> "Photos":
        """Some of the photos."""
        return Photos(self.names, [self.paths[row] for row in rows], self.classes[list(rows)])


def batches(count: int) -> Iterator[slice]:
    """Cut so many photos into batches, in order."""
    return (slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH))


def look(clip: Clip, paths: Sequence[Path]) -> Tensor:
    """Read photos as the network sees them: (B, 3, H, W)."""
    return torch.stack([clip.preprocess(archive.open_photo(path)) for path in paths])


def mission_photos(root: Path) -> Photos:
    """List the poster's photos."""
    names = archive.mission_names(root)
    return _photos(names, [archive.of_class(root / archive.MISSION, name) for name in names])


def unseen_photos(root: Path, table: Path) -> Photos:
    """List the photos of the poster's classes that are kept from training and from every choice."""
    names = archive.mission_names(root)
    folder = {photo_class.name: photo_class.wnid for photo_class in read_classes(table)}
    found = [archive.of_class(root, folder[name])[-archive.UNSEEN :] for name in names]
    return _photos(names, found)


def kept_out_photos(root: Path, table: Path) -> Photos:
    """List photos of the classes that were kept out of the training."""
    classes = read_classes(table)
    names = [photo_class.name for photo_class in classes]
    chosen = [classes[i] for i in split_classes(names, archive.mission_names(root)).kept_out]
    found = [archive.of_class(root, each.wnid)[:KEPT_OUT_PHOTOS] for each in chosen]
    return _photos([each.name for each in chosen], found)


def _photos(names: list[str], found: Sequence[Sequence[Path]]) -> Photos:
    owners = np.repeat(np.arange(len(names)), [len(paths) for paths in found])
    return Photos(names, [path for paths in found for path in paths], owners)
