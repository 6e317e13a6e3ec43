"""A small store whose every figure can be counted by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db import queries, writes
from db.engine import open_write
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


@pytest.fixture
def spec() -> RunSpec:
    return RunSpec(
        config_hash="hash-1",
        config={"preset": "mini", "regions": 3},
        preset="mini",
        dataset="photos",
        networks={"clip": "tiny"},
        versions={"mapcap": "0.1.0"},
        host="host",
        device="cpu",
    )


def make_region(offset: int = 0) -> NewRegion:
    patch_mask = np.zeros((4, 4), dtype=bool)
    patch_mask[1:3, offset : offset + 2] = True
    return NewRegion(
        box=(10.0 + offset, 20.0, 30.0, 40.0),
        area_share=0.25,
        mass_share=0.5,
        patch_mask=patch_mask,
        mask=np.kron(patch_mask, np.ones((8, 8), dtype=bool)),
    )


@pytest.fixture
def region() -> NewRegion:
    return make_region()


@dataclass(frozen=True)
class Store:
    """A filled store: three classes, seven images, of which one is unreadable."""

    engine: Engine
    path: Path
    run_id: int
    tabby: int
    lynx: int
    crane: int
    images: dict[str, int]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_write(tmp_path / "store.db")
    yield opened
    opened.dispose()


# path, class, predicted class, true probability, rank of the true class, margin
PREDICTIONS = [
    ("tabby/1.jpg", 0, 0, 0.9, 1, 3.0),
    ("tabby/2.jpg", 0, 1, 0.3, 2, -1.0),
    ("tabby/3.jpg", 0, 1, 0.2, 2, -2.0),
    ("tabby/4.jpg", 0, 2, 0.1, 3, -2.0),
    ("lynx/1.jpg", 1, 1, 0.8, 1, 2.0),
    ("lynx/2.jpg", 1, 1, 0.7, 1, 1.0),
]
# path, captions of its regions of role `true`
CAPTIONS = [
    ("tabby/1.jpg", ["a grey cat.", "green leaves."]),
    ("tabby/2.jpg", ["a grey cat.", "a grey cat."]),
    ("tabby/3.jpg", ["a Café chair."]),
    ("tabby/4.jpg", ["."]),
    ("lynx/1.jpg", ["a grey cat."]),
]


@pytest.fixture
def store(engine: Engine, spec: RunSpec, tmp_path: Path) -> Store:
    run_id = writes.start_run(engine, spec)
    new = [NewClass(0, "tabby", "n01"), NewClass(1, "lynx", "n02"), NewClass(2, "crane", "n03")]
    ids = writes.add_classes(engine, run_id, new)
    files = [
        NewImage(
            path=path,
            class_id=ids[class_],
            content_hash=f"digest of {path}",
            width=64,
            height=48,
            file_size=1000,
            box=(1.0, 2.0, 3.0, 4.0) if path == "tabby/1.jpg" else None,
            thumbnail=b"RIFF" + path.encode(),
        )
        for path, class_, *_ in PREDICTIONS
    ]
    broken = NewImage("lynx/broken.jpg", ids[1], error="not a picture")
    writes.add_images(engine, run_id, [*files, broken])
    images = {
        found.path: found.id
        for class_id in ids
        for found in queries.images(engine, class_id, limit=100)
    }
    tabby, lynx, crane = ids
    filled = Store(engine, tmp_path / "store.db", run_id, tabby, lynx, crane, images)
    add_texts(filled)
    add_predictions(filled)
    add_maps(filled)
    add_words(filled)
    return filled


def add_texts(store: Store) -> None:
    texts = [
        NewClassText(class_id, np.eye(3, dtype=np.float32)[i], [("a", 0.25), ("name", 0.75)])
        for i, class_id in enumerate((store.tabby, store.lynx, store.crane))
    ]
    writes.set_class_texts(store.engine, texts)


def add_predictions(store: Store) -> None:
    ids = (store.tabby, store.lynx, store.crane)
    new = [
        NewPrediction(
            image_id=store.images[path],
            top=[(ids[said], 0.6, 5.0), (ids[(said + 1) % 3], 0.3, 4.0)],
            true_probability=probability,
            true_rank=rank,
            margin=margin,
            feature=np.array([3.0, 0.0, 4.0]),
        )
        for path, _, said, probability, rank, margin in PREDICTIONS
    ]
    writes.add_predictions(store.engine, new)
    writes.aggregate_accuracy(store.engine, store.run_id)


def add_maps(store: Store) -> None:
    ids = (store.tabby, store.lynx, store.crane)
    grid = np.arange(16, dtype=np.float32).reshape(4, 4) * 1e-7
    maps = [
        NewRelevance(store.images[path], "true", ids[class_], grid)
        for path, class_, *_ in PREDICTIONS
    ]
    wrong = [
        NewRelevance(store.images[path], "predicted", ids[said], grid)
        for path, class_, said, *_ in PREDICTIONS
        if class_ != said
    ]
    writes.add_relevance(store.engine, maps + wrong)
    captions = dict(CAPTIONS)
    stored = queries.relevances(store.engine, list(store.images.values()))
    found = [
        NewRegions(
            stored[image_id]["true"].id,
            [make_region(i) for i in range(len(captions.get(path, [])))],
        )
        for path, image_id in store.images.items()
        if path != "lynx/broken.jpg"
    ]
    writes.add_regions(store.engine, found)


def add_words(store: Store) -> None:
    engine = store.engine
    new = [
        NewCaption(found.id, text, 5, -1.5, cosine=0.25, is_empty=text == ".")
        for path, texts in CAPTIONS
        for found, text in zip(queries.regions(engine, store.images[path]), texts, strict=True)
    ]
    ids = [caption.region_id for caption in new]
    writes.add_embeddings(engine, "pooled", ids, np.array([[0.0, 3.0, 4.0]] * len(ids)))
    writes.add_captions(engine, store.run_id, new)
    writes.aggregate_captions(engine, store.run_id)
    captions = queries.pmi_candidates(engine, store.tabby)
    n = len(captions)
    writes.add_pmi(
        engine,
        NewPmi(
            class_id=store.tabby,
            caption_ids=np.array([caption.caption_id for caption in captions]),
            counts=np.array([caption.count for caption in captions]),
            matrix=np.arange(n * n, dtype=np.float32).reshape(n, n),
            surprisal=np.ones(n),
            relevance=np.arange(n, dtype=np.float32),
            distinct_total=n,
        ),
    )
    sentences = [
        NewSentence(caption.caption_id, 3.0 - i, 0.5 * i, 3.0 - 1.5 * i)
        for i, caption in enumerate(captions[:2])
    ]
    both = [NewSummary(store.tabby, k, 1.0, sentences[:k]) for k in (1, 2)]
    writes.add_summaries(engine, both)
