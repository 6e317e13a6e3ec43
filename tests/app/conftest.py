"""A store of six classes of eight images, with everything that the app shows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import Engine, text
from textual.pilot import Pilot

from db import queries, writes
from db.batches import (
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
from db.engine import open_write
from db.records import WordScore
from db.selection import select
from tui.app import MapCapApp, make_app

CLASSES = ["tabby", "Egyptian cat", "lion", "crane", "school bus", "teapot"]
PER_CLASS = 8
# How many of the eight images of each class are right; the rest are taken for the next class.
RIGHT = [1, 6, 8, 4, 5, 7]
WORDS = ["a grey cat on a sofa.", "a cat with green eyes.", "a striped animal.", "a yellow bus.",
         "a bird in the water.", "a cup of tea."]  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A filled store."""

    path: Path
    run_id: int
    class_ids: list[int]
    verdicts: Path


def spec(name: str) -> RunSpec:
    config = {"preset": name, "representation": "pooled", "sentences": 3, "redundancy": 1.0}
    return RunSpec(name, config, name, "photos", {"model": "tiny"}, {}, "host", "cpu")


def thumbnail(number: int) -> bytes:
    y, x = np.mgrid[0:64, 0:64].astype(np.uint8)
    rgb = np.stack([x * 3, y * 3, np.full_like(x, (number * 29) % 255)], axis=-1)
    file = BytesIO()
    Pictures.fromarray(rgb).save(file, "WEBP", quality=60)
    return file.getvalue()


def region(rank: int) -> NewRegion:
    patches = np.zeros((4, 4), bool)
    patches[rank : rank + 2, 1:3] = True
    mask = np.kron(patches, np.ones((8, 8), bool))
    return NewRegion((8.0, 8.0 * rank, 24.0, 8.0 * rank + 16), 0.25, 0.5 / rank, patches, mask)


def fill(engine: Engine, name: str = "mini", classes: list[str] = CLASSES) -> tuple[int, list[int]]:
    """Write a whole run."""
    run_id = writes.start_run(engine, spec(name))
    new = [NewClass(i, each, f"n{i:02}") for i, each in enumerate(classes)]
    ids = writes.add_classes(engine, run_id, new)
    writes.set_class_texts(
        engine,
        [
            NewClassText(class_id, np.eye(8, dtype=np.float32)[i], [("the", 0.1), (each, 0.9)])
            for i, (class_id, each) in enumerate(zip(ids, classes, strict=True))
        ],
    )
    files = [
        NewImage(
            f"{name}/n{i:02}/{j}.jpg", class_id, f"{i:02}{j:02}" * 8, 64, 64, 1000,
            thumbnail=thumbnail(i * PER_CLASS + j),
        )
        for i, class_id in enumerate(ids)
        for j in range(PER_CLASS)
    ]  # fmt: skip
    writes.add_images(engine, run_id, files)
    for i, class_id in enumerate(ids):
        add_class(engine, run_id, ids, i, class_id)
    writes.aggregate_accuracy(engine, run_id)
    writes.aggregate_captions(engine, run_id)
    for class_id in ids:
        add_summary(engine, class_id)
    writes.begin_stage(engine, run_id, "summaries", position=6, total=len(ids), done=0)
    writes.finish_stage(engine, run_id, "summaries")
    writes.set_status(engine, run_id, "done")
    return run_id, ids


def add_class(engine: Engine, run_id: int, ids: list[int], i: int, class_id: int) -> None:
    found = sorted(queries.images(engine, class_id), key=lambda image: image.path)
    wrong = ids[(i + 1) % len(ids)]
    right = {image.id: j < RIGHT[i % len(RIGHT)] for j, image in enumerate(found)}
    writes.add_predictions(
        engine,
        [
            NewPrediction(
                image.id,
                [(class_id, 0.8, 9.0), (wrong, 0.1, 7.0)]
                if right[image.id]
                else [(wrong, 0.7, 8.0), (class_id, 0.2, 7.0)],
                0.8 if right[image.id] else 0.2,
                1 if right[image.id] else 2,
                (2.0 if right[image.id] else -1.0) - 0.1 * j,
            )
            for j, image in enumerate(found)
        ],
    )
    grid = np.outer(np.arange(4), np.arange(4)).astype(np.float32) * 1e-4
    writes.add_relevance(
        engine,
        [
            NewRelevance(image.id, role, target, g)
            for image in found
            for role, target, g in (
                ("true", class_id, grid),
                ("predicted", wrong, grid[::-1]),
                ("contrast", wrong, grid.T * 0),
            )
            if role == "true" or not right[image.id]
        ],
    )
    maps = queries.relevances(engine, [image.id for image in found])
    writes.add_regions(
        engine, [NewRegions(maps[image.id]["true"].id, [region(1), region(2)]) for image in found]
    )
    regions = [each for image in found for each in queries.regions(engine, image.id)]
    generator = np.random.default_rng(i)
    vectors = generator.normal(size=(len(regions), 8)) * 0.3 + np.eye(8)[i // 2]
    writes.add_embeddings(engine, "pooled", [each.id for each in regions], vectors)
    writes.add_captions(
        engine,
        run_id,
        [
            NewCaption(each.id, WORDS[(i + n % 3) % len(WORDS)], 6, -1.0, cosine=0.3)
            for n, each in enumerate(regions)
        ],
    )


def add_summary(engine: Engine, class_id: int) -> None:
    captions = queries.pmi_candidates(engine, class_id)
    n = len(captions)
    matrix = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(np.float32) * 2
    counts = np.array([each.count for each in captions])
    ids = np.array([each.caption_id for each in captions])
    relevance = (matrix * counts).sum(axis=1)
    writes.add_pmi(engine, NewPmi(class_id, ids, counts, matrix, np.ones(n), relevance, n))
    writes.add_summaries(
        engine,
        [
            NewSummary(
                class_id, k, 1.0,
                [
                    NewSentence(int(ids[each.index]), each.relevance, each.penalty, each.score)
                    for each in select(matrix, counts, k, 1.0)
                ],
            )
            for k in (1, 3)
        ],
    )  # fmt: skip
    writes.add_word_scores(
        engine, class_id, "relevance", [WordScore("cat", 9.0, 5), WordScore("sofa", 4.0, 2)]
    )


def freeze(engine: Engine) -> None:
    """Give the run fixed times, so that pictures of the app stay the same."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE run SET started = 1700000000 + id, finished = 1700001000"))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A store that tests only read."""
    folder = tmp_path_factory.mktemp("full")
    engine = open_write(folder / "store.db")
    run_id, class_ids = fill(engine)
    freeze(engine)
    engine.dispose()
    return Stored(folder / "store.db", run_id, class_ids, folder / "v.sqlite")


@pytest.fixture
def stored(full: Stored, tmp_path: Path) -> Stored:
    """The same store, with verdicts of its own."""
    return Stored(full.path, full.run_id, full.class_ids, tmp_path / "v.sqlite")


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Engine]:
    """A store that a test writes to."""
    engine = open_write(tmp_path / "growing.db")
    yield engine
    engine.dispose()


@pytest.fixture
def app_on(stored: Stored) -> Callable[..., MapCapApp]:
    def make(**options: object) -> MapCapApp:
        return make_app(
            stored.path,
            run=options.get("run"),  # type: ignore[arg-type]
            class_name=options.get("class_name"),  # type: ignore[arg-type]
            images=str(options.get("images", "half")),
            verdicts=stored.verdicts,
        )

    return make


async def rest(pilot: Pilot[None]) -> None:
    """Wait until no worker runs and all messages are handled."""
    for _ in range(3):
        await pilot.pause()
        for _ in range(1000):
            if not any(worker.is_running for worker in pilot.app.workers):
                break
            await asyncio.sleep(0.01)
    await pilot.pause()


@pytest.fixture
def settle() -> Callable[[Pilot[None]], Awaitable[None]]:
    return rest


@pytest.fixture
def press() -> Callable[..., Awaitable[None]]:
    async def each(pilot: Pilot[None], *keys: str) -> None:
        for key in keys:
            await pilot.press(key)
            await rest(pilot)

    return each


@pytest.fixture
def run_spec() -> Callable[[str], RunSpec]:
    return spec


@pytest.fixture
def fill_run() -> Callable[..., tuple[int, list[int]]]:
    return fill
