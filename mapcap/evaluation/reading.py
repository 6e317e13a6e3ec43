"""What the figures of a class are computed from, as the store has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from db import queries
from db.queries import evidence
from db.records import ClassCaption, Image, Run, Vectors
from mapcap.config import IndexConfig
from mapcap.networks.geometry import Sight

MOST_MAPS = 200
"""Maps of a class that are looked at: more would not make a class's figures surer by much."""
MOST_CAPTIONED = 32
"""Images of a class whose captions are compared with their regions.

On the poster's classes these give the same correlation with accuracy as all images do (-0.64 and
-0.66); half as many are so unsure that it halves.
"""
_PAGE = 1000


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of N images for their true class."""

    grids: NDArray[np.float32]
    """(N, gh, gw)"""
    strengths: NDArray[np.float64]
    """(N,) sums of raw relevance"""
    region_counts: NDArray[np.float64]
    """(N,)"""


@dataclass(frozen=True, eq=False)
class Boxed:
    """Maps of N images with the boxes of their objects."""

    grids: NDArray[np.float32]
    """(N, gh, gw)"""
    boxes: NDArray[np.float64]
    """(N, 4) x0, y0, x1, y1 in pixels of the view"""


@dataclass(frozen=True, eq=False)
class Captioned:
    """Captions of R regions with the embeddings of the regions and of their whole images."""

    texts: list[str]
    regions: NDArray[np.float16]
    """(R, D), L2-normalised"""
    images: NDArray[np.float16]
    """(R, D), L2-normalised"""


@dataclass(frozen=True, eq=False)
class ClassMaterial:
    """All that the figures of a class need of the store."""

    class_id: int
    name: str
    predicted: int
    distinct_captions: int
    maps: Maps
    boxed: Boxed
    captions: list[ClassCaption]
    captioned: Captioned
    summary: list[str]


def sight_of(engine: Engine, run: Run) -> Sight | None:
    """Return what the network of a run sees, None if the run has no region to tell it by."""
    for record in queries.classes(engine, run.id):
        for image in queries.images(engine, record.id, limit=_PAGE):
            regions = queries.regions(engine, image.id)
            if regions:
                height, width = regions[0].mask.shape
                return Sight((height, width), run.resize_mode)
    return None


def read_class(engine: Engine, class_id: int, config: IndexConfig, sight: Sight) -> ClassMaterial:
    """Read what the figures of a class need; of a large class, images drawn from the seed."""
    images = predicted_images(engine, class_id)
    record = queries.class_record(engine, class_id)
    summary = queries.summary(engine, class_id, config.sentences, config.redundancy)
    key = (config.seed, class_id)
    return ClassMaterial(
        class_id=class_id,
        name=record.name,
        predicted=record.predicted,
        distinct_captions=record.distinct_captions,
        maps=_maps(engine, draw_images(images, MOST_MAPS, key)),
        boxed=read_boxed(engine, images, sight, key),
        captions=_captions(engine, class_id),
        captioned=_read_captioned(
            engine, draw_images(images, MOST_CAPTIONED, key), config.representation
        ),
        summary=[] if summary is None else [sentence.text for sentence in summary.sentences],
    )


def predicted_images(engine: Engine, class_id: int) -> list[Image]:
    """Return the readable, predicted images of a class by id."""
    chosen = (
        image
        for image in queries.every_image(engine, class_id)
        if image.error is None and image.predicted_class_id is not None
    )
    return sorted(chosen, key=lambda image: image.id)


def draw_images(images: Sequence[Image], most: int, key: tuple[int, ...]) -> list[Image]:
    """Return at most so many of the images, drawn at random; the same ones for the same key."""
    if len(images) <= most:
        return list(images)
    chosen = np.random.default_rng(key).choice(len(images), most, replace=False)
    return [images[place] for place in np.sort(chosen)]


def _maps(engine: Engine, images: Sequence[Image]) -> Maps:
    stored = queries.relevances(engine, [image.id for image in images])
    grids = [maps["true"] for maps in stored.values() if "true" in maps]
    return Maps(
        grids=_stack([relevance.grid for relevance in grids]),
        strengths=np.array([relevance.raw_mass for relevance in grids], float),
        region_counts=np.array([relevance.region_count or 0 for relevance in grids], float),
    )


def read_boxed(
    engine: Engine, images: Sequence[Image], sight: Sight, key: tuple[int, ...]
) -> Boxed:
    """Read the maps of images that have a box, with the boxes as the network sees them."""
    boxed = draw_images([image for image in images if image.box is not None], MOST_MAPS, key)
    stored = queries.relevances(engine, [image.id for image in boxed])
    grids, boxes = [], []
    for image in boxed:
        if "true" in stored[image.id] and image.box and image.width and image.height:
            grids.append(stored[image.id]["true"].grid)
            boxes.append(sight.view(image.width, image.height).from_original(image.box))
    return Boxed(_stack(grids), np.array(boxes, float).reshape(-1, 4))


def _stack(grids: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    return np.stack(grids).astype(np.float32) if grids else np.empty((0, 1, 1), np.float32)


def _captions(engine: Engine, class_id: int) -> list[ClassCaption]:
    captions: list[ClassCaption] = []
    page = queries.captions(engine, class_id, limit=_PAGE)
    while page:
        captions += page
        after = (page[-1].count, page[-1].caption_id)
        page = queries.captions(engine, class_id, after=after, limit=_PAGE)
    return captions


def _read_captioned(engine: Engine, images: Sequence[Image], representation: str) -> Captioned:
    ids = [image.id for image in images]
    words = evidence.region_words(engine, ids, "true")
    regions = _by_id(queries.region_features(engine, [w.id for w in words], representation))
    whole = _by_id(evidence.image_features(engine, ids))
    kept = [word for word in words if word.id in regions and word.image_id in whole]
    empty: NDArray[np.float16] = np.empty((0, 1), np.float16)
    return Captioned(
        [word.caption for word in kept],
        np.stack([regions[word.id] for word in kept]) if kept else empty,
        np.stack([whole[word.image_id] for word in kept]) if kept else empty,
    )


def _by_id(stored: Vectors) -> dict[int, NDArray[np.float16]]:
    return dict(zip(stored.ids.tolist(), stored.vectors, strict=True))
