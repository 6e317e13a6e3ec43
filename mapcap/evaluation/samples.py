"""Which images are measured again, and what is asked of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sqlalchemy import Engine
from torch import Tensor

from db import queries
from db.queries import evidence
from db.records import Image
from mapcap.datasets import Place, read_image
from mapcap.indexing.stages.pictures import at_once
from mapcap.networks.clip import Clip

_MARKS = ("blur-deletion", "maps-empty")
"""An image that has one of these figures has been measured."""


@dataclass(frozen=True)
class Sample:
    """Images drawn from a run; for each, one of another class, where there is one."""

    ids: list[int]
    neighbours: dict[int, int]


@dataclass(frozen=True, eq=False)
class Sampled:
    """B images to measure, in the same order throughout."""

    images: list[Image]
    grids: NDArray[np.float32]
    """(B, gh, gw) stored maps for the true class"""
    neighbours: NDArray[np.float32]
    """(B, gh, gw) those of images of other classes; all zero where there is none"""
    views: Tensor
    """(B, 3, H, W) preprocessed"""
    regions: list[list[tuple[NDArray[np.bool_], str]]]
    """Patches (gh, gw) and caption of each region of each image"""

    def those(self, chosen: NDArray[np.bool_]) -> "Sampled":
        """Return the images that are chosen (B,)."""
        places = np.flatnonzero(chosen).tolist()
        return replace(
            self,
            images=[self.images[place] for place in places],
            grids=self.grids[chosen],
            neighbours=self.neighbours[chosen],
            views=self.views[torch.from_numpy(chosen)],
            regions=[self.regions[place] for place in places],
        )


def draw_sample(engine: Engine, run_id: int, count: int, seed: int) -> Sample:
    """Draw at most `count` predicted images at random, as many of each class as can be.

    A larger sample begins with the images of a smaller one.
    """
    numbers = np.random.default_rng(seed).permutation(evidence.predicted_ids(engine, run_id))
    turns = np.empty(len(numbers), np.int64)
    met: dict[int, int] = {}
    for place, class_id in enumerate(numbers[:, 1].tolist()):
        turns[place] = met[class_id] = met.get(class_id, -1) + 1
    chosen = numbers[np.argsort(turns, kind="stable")][:count]
    ids, classes = chosen.T.tolist()
    neighbours = {}
    for place, (number, class_id) in enumerate(zip(ids, classes, strict=True)):
        # Among the drawn ones the next of another class is near: classes take turns.
        following = ((place + step) % len(ids) for step in range(1, len(ids)))
        other = next((at for at in following if classes[at] != class_id), None)
        if other is not None:
            neighbours[number] = ids[other]
    return Sample(ids, neighbours)


def measured_images(figures: Mapping[int, Mapping[str, float]]) -> set[int]:
    """Return the ids of the images that have been measured."""
    return {number for number, named in figures.items() if any(name in named for name in _MARKS)}


def read_sampled(
    engine: Engine, clip: Clip, paths: Mapping[str, Place], sample: Sample, ids: Sequence[int]
) -> Sampled:
    """Read some images of a sample; those that are gone or changed since are left out."""
    others = [sample.neighbours[number] for number in ids if number in sample.neighbours]
    maps = queries.relevances(engine, [*ids, *others])
    images = [queries.image(engine, number) for number in ids]
    views = at_once(lambda image: _view(clip, paths, image), images)
    kept = [
        (image, view)
        for image, view in zip(images, views, strict=True)
        if view is not None and "true" in maps[image.id]
    ]
    grids = np.zeros((2, len(kept), *clip.grid), np.float32)
    for place, (image, _) in enumerate(kept):
        grids[0, place] = maps[image.id]["true"].grid
        other = maps.get(sample.neighbours.get(image.id, -1), {})
        if "true" in other:
            grids[1, place] = other["true"].grid
    return Sampled(
        images=[image for image, _ in kept],
        grids=grids[0],
        neighbours=grids[1],
        views=torch.stack([v for _, v in kept]) if kept else torch.empty(0, 3, *clip.size),
        regions=[list(_read_captions(engine, image.id)) for image, _ in kept],
    )


def _view(clip: Clip, paths: Mapping[str, Place], image: Image) -> Tensor | None:
    if image.path not in paths:
        return None
    loaded = read_image(paths[image.path])
    if loaded.image is None or loaded.content_hash != image.content_hash:
        return None
    return clip.preprocess(loaded.image)


def _read_captions(engine: Engine, image_id: int) -> Iterator[tuple[NDArray[np.bool_], str]]:
    for region in queries.regions(engine, image_id):
        if region.role == "true" and region.caption is not None:
            yield region.patch_mask, region.caption
