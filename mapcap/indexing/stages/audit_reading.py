"""What the audit reads of the store: the images and regions of a class, and a sample of the run."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Engine

from db import queries
from db.errors import StoreError
from db.queries import evidence
from db.records import Relevance, Role
from db.records.evidence import PredictedImage
from mapcap.audit.attributes import ATTRIBUTES, attribute_row
from mapcap.audit.grounds import ground_of_box, ground_of_maps
from mapcap.audit.kinds.background import PROPERTIES, background_properties
from mapcap.audit.kinds.watermark import place_histogram
from mapcap.audit.material import (
    NO_WITNESS,
    PICTURE_SIDE,
    ClassNames,
    Images,
    Reference,
    Regions,
    Rival,
)
from mapcap.audit.words import phrases
from mapcap.config import IndexConfig
from mapcap.indexing.stages.pictures import at_once
from mapcap.networks.clip import Clip


@dataclass(frozen=True)
class Source:
    """A run in its store, and the network that made it: all that its audit reads."""

    engine: Engine
    run_id: int
    config: IndexConfig
    clip: Clip


_SAMPLE = 16_384
"""Images of a run that every class is held against."""
_CHUNK = 256
_RIVAL_IMAGES = 1000


def read_names(source: Source) -> ClassNames:
    """Return the classes of the run with their text embeddings and confusions."""
    classes = queries.classes(source.engine, source.run_id)
    texts = queries.class_embeddings(source.engine, source.run_id)
    return ClassNames(
        ids=texts.ids.tolist(),
        names={record.id: record.name for record in classes},
        embeddings=texts.vectors,
        taken_for={
            (record.id, confusion.predicted_class_id): confusion.count
            for record in classes
            for confusion in queries.confusions(source.engine, record.id)
        },
    )


def read_reference(source: Source) -> Reference:
    """Return the sample of the run: all its predicted images, or as many drawn from the seed."""
    numbers = evidence.predicted_ids(source.engine, source.run_id)
    if len(numbers) > _SAMPLE:
        drawn = np.random.default_rng(source.config.seed).choice(
            len(numbers), _SAMPLE, replace=False
        )
        numbers = numbers[np.sort(drawn)]
    classes = dict(numbers.tolist())
    m, side = len(numbers), PICTURE_SIDE
    # Filled in place: parts joined at the end would be held twice, with all that is read of them.
    columns: dict[str, NDArray[Any]] = {
        "ids": np.empty(m, np.int64),
        "predicted": np.empty(m, np.int64),
        "confidence": np.empty(m),
        "witness": np.empty(m, np.int64),
        "embeddings": np.empty((m, source.clip.embed_dim), np.float16),
        "backgrounds": np.empty((m, len(PROPERTIES))),
        "pictures": np.empty((m, side, side, 3), np.uint8),
        "attributes": np.empty((m, len(ATTRIBUTES))),
    }
    counts: Counter[str] = Counter()
    held = 0
    for start in range(0, m, _CHUNK):
        ids = numbers[start : start + _CHUNK, 0].tolist()
        images = read_images(source, evidence.predictions_of(source.engine, ids))
        part = slice(held, held + len(images))
        columns["backgrounds"][part] = background_properties(images.pictures, images.grounds)
        for name in columns.keys() - {"backgrounds"}:
            columns[name][part] = getattr(images, name)
        counts.update(word for words in images.words for word in words)
        held += len(images)
    whole = {name: column[:held] for name, column in columns.items()}
    return Reference(
        **whole,
        classes=np.array([classes[number] for number in whole["ids"].tolist()], np.int64),
        histogram=place_histogram(whole["pictures"]),
        phrases=counts,
        same_files=evidence.same_files(source.engine, source.run_id),
    )


def read_images(source: Source, predicted: Sequence[PredictedImage]) -> Images:
    """Return images with all that the audit asks of them; those that lack a part are left out."""
    ids = [image.id for image in predicted]
    stored = evidence.image_features(source.engine, ids)
    features = dict(zip(stored.ids.tolist(), stored.vectors, strict=True))
    maps = queries.relevances(source.engine, ids)
    thumbnails = queries.thumbnails(source.engine, ids)
    whole = [
        image
        for image in predicted
        if image.id in features and image.id in thumbnails and "true" in maps[image.id]
    ]
    words = _words(source, [image.id for image in whole])
    pictures = at_once(lambda image: _picture(source, image, thumbnails[image.id]), whole)
    grids = [maps[image.id]["true"].grid for image in whole]
    clip, side = source.clip, PICTURE_SIDE
    return Images(
        ids=np.array([image.id for image in whole], np.int64),
        predicted=np.array([image.predicted_class_id for image in whole], np.int64),
        correct=np.array([image.correct for image in whole], bool),
        # None becomes NaN, which no comparison holds for.
        confidence=np.array([image.confidence for image in whole], float),
        margins=np.array([image.margin for image in whole], float),
        witness=np.array(
            [NO_WITNESS if w is None else w for w in (i.witness_class_id for i in whole)], np.int64
        ),
        words=words,
        embeddings=_stacked([features[image.id] for image in whole], clip.embed_dim, np.float16),
        grids=np.array(grids, np.float32).reshape(-1, *clip.grid),
        pictures=np.array(pictures, np.uint8).reshape(-1, side, side, 3),
        attributes=np.array(
            [
                attribute_row(
                    image.attributes, (image.width, image.height), image.file_size, image.box
                )
                for image in whole
            ]
        ).reshape(-1, len(ATTRIBUTES)),
        grounds=np.array([_ground(source, image, maps[image.id]) for image in whole], bool).reshape(
            -1, side, side
        ),
    )  # fmt: skip


def _ground(
    source: Source, image: PredictedImage, maps: Mapping[Role, Relevance]
) -> NDArray[np.bool_]:
    """Return which pixels of what the network saw are background."""
    if image.box is None:
        grids = [maps[role].grid for role in ("true", "predicted") if role in maps]
        return ground_of_maps(grids, PICTURE_SIDE)
    view = source.clip.view(image.width, image.height)
    height, width = source.clip.size
    sizes = (width, height, width, height)
    edges = zip(view.from_original(image.box), sizes, strict=True)
    return ground_of_box([edge / size for edge, size in edges], PICTURE_SIDE)


def _stacked(rows: Sequence[NDArray[Any]], width: int, dtype: Any) -> NDArray[Any]:
    if any(row.shape != (width,) for row in rows):
        raise StoreError(
            f"stored features are not {width} wide, as the run's CLIP is: index the photos again"
        )
    return np.array(rows, dtype).reshape(-1, width)


def _words(source: Source, image_ids: Sequence[int]) -> list[frozenset[str]]:
    """Return the words of each image's captions for its true class."""
    texts: dict[int, list[str]] = {image_id: [] for image_id in image_ids}
    for region in evidence.region_words(source.engine, image_ids, "true"):
        texts[region.image_id].append(region.caption)
    return [phrases(texts[image_id]) for image_id in image_ids]


def _picture(source: Source, image: PredictedImage, thumbnail: bytes) -> NDArray[np.uint8]:
    """Return what the network saw of an image, small, from its thumbnail."""
    with Image.open(io.BytesIO(thumbnail)) as small:
        return source.clip.view(image.width, image.height).cut(small, (PICTURE_SIDE, PICTURE_SIDE))


def read_regions(source: Source, images: Images, role: Role) -> Regions:
    """Return the captioned and embedded regions of images, of maps of one role."""
    captioned = evidence.region_words(source.engine, images.ids.tolist(), role)
    stored = queries.region_features(
        source.engine, [region.id for region in captioned], source.config.representation
    )
    features = dict(zip(stored.ids.tolist(), stored.vectors, strict=True))
    places = {image_id: place for place, image_id in enumerate(images.ids.tolist())}
    whole = [region for region in captioned if region.id in features]
    return Regions(
        ids=np.array([region.id for region in whole], np.int64),
        owners=np.array([places[region.image_id] for region in whole], np.int64),
        embeddings=_stacked(
            [features[region.id] for region in whole], source.clip.embed_dim, np.float16
        ),
        captions=[region.caption for region in whole],
    )


def read_rival(source: Source, class_id: int) -> Rival:
    """Return the right images of a class, at most a thousand."""
    images = evidence.predicted_images(source.engine, class_id, correct=True, limit=_RIVAL_IMAGES)
    stored = evidence.image_features(source.engine, [image.id for image in images])
    words = _words(source, stored.ids.tolist())
    return Rival(words, stored.vectors)
