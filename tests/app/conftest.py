"""A store of six classes of eight images, with everything that the app shows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import Engine, text
from textual.pilot import Pilot

from db import queries, writes
from db.engine import open_write
from db.records import ErrorWord, Figure, WordScore
from db.rows import (
    NewAudit,
    NewCaption,
    NewClass,
    NewClassText,
    NewFinding,
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
from mapcap.audit.cost import Cost
from mapcap.audit.findings import Finding
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS
from mapcap.summaries.selection import select
from tui.app import MapCapApp, make_app

CLASSES = ["tabby", "Egyptian cat", "lion", "crane", "school bus", "teapot"]
PER_CLASS = 8
# How many of the eight images of each class are right; the rest are predicted as the next class.
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


def fill(
    engine: Engine,
    name: str = "mini",
    classes: list[str] = CLASSES,
    audit: bool = True,
) -> tuple[int, list[int]]:
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
    if audit:
        for i in range(len(ids)):
            writes.add_audit(engine, audited(engine, classes, ids, i))
        add_figures(engine, run_id, ids)
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


def finding(
    kind: str, title: str, score: float, figures: dict[str, Any], images: Any, regions: Any
) -> NewFinding:
    """Return a finding with all that its kind says of it, as the audit stores it."""
    known, made = KINDS[kind], Finding(kind, title, Cost(score, score / 2, score), figures)
    return NewFinding(
        kind, title, score, figures, images, regions,
        known.plain, known.colour, known.overlay, printed(known, made),
    )  # fmt: skip


def audited(engine: Engine, classes: list[str], ids: list[int], i: int) -> NewAudit:
    """Return an audit of a class: what it is predicted as, doubted labels, and what else shows."""
    right, after = RIGHT[i % len(RIGHT)], (i + 1) % len(ids)
    images = queries.images(engine, ids[i])
    wrong = [image.id for image in images if not image.correct]
    regions = [region.id for image in images for region in queries.regions(engine, image.id)]
    count = len(wrong)
    findings = [
        finding(
            "confusion", f"{count} of 8 are predicted as {classes[after]}", count,
            {"predicted_class_id": ids[after], "predicted": classes[after], "count": count,
             "images": 8, "share_of_errors": 1.0, "mean_confidence": 0.7, "doubted_labels": 2,
             "taken_back": 0, "names_cosine": 0.5, "names_rank": 1, "q": 1e-5,
             "contrast_captions": [["a grey cat on a sofa.", 3]]},
            wrong, regions[: 2 * count],
        ),
        finding(
            "label", "2 of 8 may be labelled wrongly", 1.5,
            {"images": 2, "of": 8, "said": {classes[after]: 2}, "mean_margin": 0.1,
             "mean_level": 0.6},
            [image.id for image in images[:2]], [],
        ),
        finding(
            "slice", "images like “a striped animal”: 4 of 5 wrong, the others 0 of 3", 1,
            {"wrong": 4, "images": 5, "wrong_without": 0, "images_without": 3, "regions": 5,
             "p": 0.01, "q": 0.02, "names": ["a striped animal."]},
            [image.id for image in images[:5]], regions[:5],
        ),
        finding(
            "watermark", "6 of 8 have the same lime mark at the top left", 0.9,
            {"share": 0.75, "share_elsewhere": 0.0, "p": 1e-4, "accuracy_with": 0.5,
             "accuracy_without": 0.5, "accuracy_p": 1.0, "area": 0.02, "relevance": 0.3,
             "box": [0.03, 0.03, 0.2, 0.2]},
            [image.id for image in images[:6]], [],
        ),
        finding(
            "confusion", f"3 of the 9 predicted as {classes[i]} are {classes[i - 1]}", 0,
            {"class": classes[i - 1], "class_id": ids[i - 1], "count": 3, "said": 9}, [], [],
        ),
    ]  # fmt: skip
    words = [
        ErrorWord("sofa", None, 1.2, 3.1, 0.004, 0.05, 0.01, 0.09, 4, 1, 3),
        ErrorWord("green", None, -0.8, -2.0, 0.2, None, None, None, 5, 4, 1),
        ErrorWord("eyes", ids[after], 0.9, 2.2, 0.03, 0.02, -0.01, 0.05, 3, 1, 2),
    ]
    bins = [
        {"low": low / 10, "high": low / 10 + 0.1, "images": 4, "confidence": low / 10 + 0.05,
         "accuracy": right / 8}
        for low in (6, 7)
    ]  # fmt: skip
    return NewAudit(
        class_id=ids[i],
        line=f"{classes[i]}: {right} of 8 correct; {count} predicted as {classes[after]}",
        clauses=[{"text": f"{right} of 8 correct", "figures": {"right": right}}],
        figures={"ece": 0.4, "mean_confidence": 0.75, "accuracy": right / 8, "mean_margin": -0.5,
                 "regions_cosine": 0.97, "regions_p": 0.5, "bins": bins},
        words=words,
        findings=findings if count else findings[3:],
    )  # fmt: skip


def add_figures(engine: Engine, run_id: int, ids: list[int]) -> None:
    """Write metrics: one that accuracy correlates with, one that it does not."""
    figures = [
        Figure("pointing", 0.7, 0.6, 0.8, 40),
        Figure("pointing-uniform", 0.3, 0.2, 0.4, 40),
        Figure("pointing-gain", 0.1, 0.05, 0.15, 40),
        Figure("rho-pointing", 0.6, 0.2, 0.8, 6),
        Figure("rho-pointing-p", 0.002, None, None, 6),
        Figure("rho-pointing-q", 0.01, None, None, 6),
        Figure("sanity-all", 0.03, -0.1, 0.1, 40),
        Figure("unknown", 0.0, None, None, 0),
    ]
    per_class = {class_id: {"pointing": 0.1 * i} for i, class_id in enumerate(ids)}
    writes.set_figures(engine, run_id, figures, per_class)


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
