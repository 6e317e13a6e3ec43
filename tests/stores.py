"""The factory of the tests' stores: a run of any classes and photos, written by keyword arguments.

What a test does not state is as a run of the real job would have it: every readable photo has a
thumbnail, a prediction and its maps; its regions are those that `Photo.captions` names.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from sqlalchemy import Engine

from db import queries, writes
from db.engine import open_write
from db.records import Box, Role
from db.rows import (
    NewCaption,
    NewClass,
    NewClassText,
    NewImage,
    NewPmi,
    NewPrediction,
    NewRegion,
    NewRegions,
    NewRelevance,
    NewSentence,
    NewSummary,
    RunSpec,
)
from mapcap.summaries.selection import Selected, select

GRID = np.outer(np.arange(4), np.arange(4)).astype(np.float32)
GRIDS: Mapping[Role, NDArray[Any]] = {"true": GRID, "predicted": GRID, "contrast": GRID}
RIGHT = ((0.8, 9.0), (0.1, 7.0))  # probability and logit of the two best classes
WRONG = ((0.7, 8.0), (0.2, 7.0))


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo and what the run says of it.

    `predicted` and the first of each of `top` (place, probability, logit) are places of classes in
    the run; None is the photo's own class. Each caption is that of a region of its own. A photo
    with an `error` could not be read, and has a path alone.
    """

    path: str
    content_hash: str | None = None
    predicted: int | None = None
    top: Sequence[tuple[int, float, float]] = ()
    true_probability: float | None = None
    true_rank: int | None = None
    margin: float | None = None
    captions: Mapping[Role, Sequence[str]] | None = None
    size: tuple[int, int] = (64, 48)
    box: Box | None = None
    thumbnail: bytes | None = None
    error: str | None = None


@dataclass(frozen=True)
class StoredRun:
    """A run that was written: by place, the ids of its classes and the paths of their images."""

    engine: Engine
    path: Path
    run_id: int
    ids: list[int]
    paths: list[list[str]]
    images: dict[str, int]


def copy_run(run: StoredRun, path: Path) -> StoredRun:
    """Return a copy of a finished file for a test to write to: quicker than writing it again."""
    copyfile(run.path, path)
    return replace(run, engine=open_write(path), path=path)


def make_spec(config_hash: str = "hash-1", **changes: Any) -> RunSpec:
    """Return the spec of a run: `changes` are its other fields."""
    config = {"representation": "pooled", "sentences": 3, "redundancy": 1.0}
    fields: dict[str, Any] = {
        "config": config, "preset": "mini", "dataset": "photos", "networks": {"model": "tiny"},
        "versions": {}, "host": "host", "device": "cpu",
    }  # fmt: skip
    return RunSpec(config_hash, **fields | changes)


def digest(path: str) -> str:
    """Return the hash of a photo's content: the same file has the same path in all runs."""
    return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def make_thumbnail(number: int) -> bytes:
    """Draw a picture of 64 x 64 pixels whose blue tells its number."""
    y, x = np.mgrid[0:64, 0:64]
    rgb = np.stack([x * 3, y * 3, np.full_like(x, number * 29 % 255)], axis=-1)
    file = BytesIO()
    Pictures.fromarray(rgb.astype(np.uint8)).save(file, "WEBP", quality=60)
    return file.getvalue()


def make_region(rank: int = 1) -> NewRegion:
    """Return a region of 2 x 2 of 4 x 4 patches, the lower the higher its rank."""
    patches = np.zeros((4, 4), bool)
    patches[rank : rank + 2, 1:3] = True
    mask = np.kron(patches, np.ones((8, 8), bool))
    return NewRegion((8.0, 8.0 * rank, 24.0, 8.0 * rank + 16), 0.25, 0.5 / rank, patches, mask)


def write_run(
    engine: Engine,
    classes: Mapping[str, Sequence[Photo]],
    *,
    spec: RunSpec | None = None,
    labels: Sequence[str] = (),
    grids: Mapping[Role, NDArray[Any]] = GRIDS,
    artefacts: Collection[str] | None = None,
    width: int = 8,
    region_features: Callable[[int, int], NDArray[Any]] | None = None,
) -> StoredRun:
    """Write a run of classes by their names, as far as the captions; it is still running.

    `labels` are the classes' (n00, n01 ... by default); `grids` the maps by role, of which a
    photo that is right gets the true class's alone; `artefacts` the captions that count as such
    (None: not judged); `width` that of every embedding; `region_features` gives those of a
    class's regions (n, width), from the class's place and n.
    """
    run_id = writes.start_run(engine, spec or make_spec())
    names = list(classes)
    labels = labels or [f"n{place:02}" for place in range(len(names))]
    new = [NewClass(i, *each) for i, each in enumerate(zip(names, labels, strict=True))]
    ids = writes.add_classes(engine, run_id, new)
    texts = [
        NewClassText(class_id, np.eye(width, dtype=np.float32)[place], [("the", 0.1), (name, 0.9)])
        for place, (class_id, name) in enumerate(zip(ids, names, strict=True))
    ]
    writes.set_class_texts(engine, texts)
    images = _add_images(engine, run_id, ids, classes)
    path = Path(str(engine.url.database))
    paths = [[photo.path for photo in photos] for photos in classes.values()]
    run = StoredRun(engine, path, run_id, ids, paths, images)
    for place, photos in enumerate(classes.values()):
        readable = [photo for photo in photos if photo.error is None]
        _add_predictions(run, place, readable, width)
        regions = _add_maps(run, place, readable, grids)
        features = region_features(place, len(regions)) if region_features else _rows(
            (0.0, 3.0, 4.0), len(regions), width
        )  # fmt: skip
        writes.add_embeddings(engine, "pooled", [region for region, _ in regions], features)
        captions = [
            NewCaption(
                region, text, 6, -1.0, 0.3, text == ".",
                None if artefacts is None else text in artefacts,
            )
            for region, text in regions
        ]  # fmt: skip
        writes.add_captions(engine, run_id, captions)
    writes.aggregate_accuracy(engine, run_id)
    writes.aggregate_captions(engine, run_id)
    return run


def _rows(start: tuple[float, ...], rows: int, width: int) -> NDArray[np.float64]:
    """Return the same feature so many times (rows, width): a norm of 5 is counted by hand."""
    feature = np.zeros(width)
    feature[: len(start)] = start
    return np.tile(feature, (rows, 1))


def _add_images(
    engine: Engine, run_id: int, ids: Sequence[int], classes: Mapping[str, Sequence[Photo]]
) -> dict[str, int]:
    new = []
    for class_id, photos in zip(ids, classes.values(), strict=True):
        for photo in photos:
            if photo.error is not None:
                new.append(NewImage(photo.path, class_id, error=photo.error))
                continue
            thumbnail = photo.thumbnail or make_thumbnail(len(new))
            content_hash = photo.content_hash or digest(photo.path)
            new.append(NewImage(photo.path, class_id, content_hash, *photo.size, 1000, photo.box,
                                thumbnail))  # fmt: skip
    stored = writes.add_images(engine, run_id, new)
    return dict(zip((each.path for each in new), stored, strict=True))


def _add_predictions(run: StoredRun, place: int, photos: Sequence[Photo], width: int) -> None:
    feature = _rows((3.0, 0.0, 4.0), 1, width)[0]
    new = []
    for i, photo in enumerate(photos):
        best = place if photo.predicted is None else photo.predicted
        right = best == place
        second = (place + 1) % len(run.ids) if right else place
        scores = RIGHT if right else WRONG
        top = photo.top or [(best, *scores[0]), (second, *scores[1])]
        probability, rank, margin = (0.8, 1, 2.0) if right else (0.2, 2, -1.0)
        new.append(
            NewPrediction(
                run.images[photo.path],
                [(run.ids[each], *scores) for each, *scores in top],
                probability if photo.true_probability is None else photo.true_probability,
                rank if photo.true_rank is None else photo.true_rank,
                margin - 0.1 * i if photo.margin is None else photo.margin,
                feature,
            )
        )
    writes.add_predictions(run.engine, new)


def _add_maps(
    run: StoredRun, place: int, photos: Sequence[Photo], grids: Mapping[Role, NDArray[Any]]
) -> list[tuple[int, str]]:
    """Write the maps of a class's photos and their regions; return the regions' ids and texts."""
    maps, regions, texts = [], [], []
    for photo in photos:
        best = place if photo.predicted is None else photo.predicted
        for role, grid in grids.items():
            if role != "true" and best == place:
                continue
            target = run.ids[place if role == "true" else best]
            maps.append(NewRelevance(run.images[photo.path], role, target, grid))
            texts.append((photo.captions or {}).get(role, ()))
    stored = writes.add_relevance(run.engine, maps)
    regions = [
        NewRegions(number, [make_region(rank) for rank, _ in enumerate(of_map, 1)])
        for number, of_map in zip(stored, texts, strict=True)
    ]
    found = writes.add_regions(run.engine, regions)
    return list(zip(found, (text for of_map in texts for text in of_map), strict=True))


def distances(n: int) -> NDArray[np.float32]:
    """Return a matrix (n, n) whose entries grow with the distance from the diagonal."""
    return np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(np.float32) * 2


def summarize(
    run: StoredRun,
    class_id: int,
    *,
    lengths: Sequence[int] = (1, 3),
    matrix: Callable[[int], NDArray[Any]] = distances,
    choose: Callable[[NDArray[Any], NDArray[Any], int], Sequence[Selected]] | None = None,
) -> None:
    """Write the PMI matrix of a class's captions, and its summaries at redundancy 1.

    `matrix` makes it (n, n) for n captions; `choose` picks k rows of it by their counts, by default
    as the paper does.
    """
    captions = queries.pmi_candidates(run.engine, class_id)
    n = len(captions)
    scores = matrix(n)
    counts = np.array([each.count for each in captions])
    ids = np.array([each.caption_id for each in captions])
    relevance = (scores * counts).sum(axis=1)
    writes.add_pmi(run.engine, NewPmi(class_id, ids, counts, scores, np.ones(n), relevance, n))
    summaries = []
    for k in lengths:
        chosen = choose(scores, counts, k) if choose else select(scores, counts, k, 1.0)
        sentences = [
            NewSentence(int(ids[each.index]), each.relevance, each.penalty, each.score)
            for each in chosen
        ]
        summaries.append(NewSummary(class_id, k, 1.0, sentences))
    writes.add_summaries(run.engine, summaries)
