"""A store of six classes of eight images, with everything that the app shows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, text
from textual.pilot import Pilot
from textual.strip import Strip

from db import queries, writes
from db.engine import open_write
from db.records import ErrorWord, Figure, WordScore
from db.rows import NewAudit, NewFinding, RunSpec
from mapcap.audit.cost import Cost
from mapcap.audit.findings import Finding
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS
from tests.stores import GRID, Photo, make_spec, summarize, write_run
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
    return make_spec(name, config=config, preset=name)


def photos(run: str, place: int, classes: int) -> list[Photo]:
    """Return a class's photos, each with two regions."""
    right = RIGHT[place % len(RIGHT)]
    return [
        Photo(
            path=f"{run}/n{place:02}/{j}.jpg",
            content_hash=f"{place:02}{j:02}" * 8,
            predicted=place if j < right else (place + 1) % classes,
            captions={"true": [WORDS[(place + n % 3) % len(WORDS)] for n in (2 * j, 2 * j + 1)]},
            size=(64, 64),
        )
        for j in range(PER_CLASS)
    ]


def region_features(place: int, n: int) -> NDArray[Any]:
    """Return features of a class's regions (n, 8): neighboring classes are alike."""
    return np.random.default_rng(place).normal(size=(n, 8)) * 0.3 + np.eye(8)[place // 2]


def fill(
    engine: Engine,
    name: str = "mini",
    classes: list[str] = CLASSES,
    audit: bool = True,
) -> tuple[int, list[int]]:
    """Write a whole run."""
    weak = GRID * 1e-4
    run = write_run(
        engine,
        {each: photos(name, place, len(classes)) for place, each in enumerate(classes)},
        spec=spec(name),
        grids={"true": weak, "predicted": weak[::-1], "contrast": weak.T * 0},
        region_features=region_features,
    )
    writes.pack_embeddings(engine, run.run_id, "pooled")
    for class_id in run.ids:
        summarize(run, class_id)
        words = [WordScore("cat", 9.0, 5), WordScore("sofa", 4.0, 2)]
        writes.add_word_scores(engine, class_id, "relevance", words)
    writes.begin_stage(engine, run.run_id, "summaries", position=6, total=len(run.ids), done=0)
    writes.finish_stage(engine, run.run_id, "summaries")
    if audit:
        for i in range(len(run.ids)):
            writes.add_audit(engine, audited(engine, classes, run.ids, i))
        add_figures(engine, run.run_id, run.ids)
    writes.set_status(engine, run.run_id, "done")
    return run.run_id, run.ids


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
            "label", "2 of 8 are possible label errors", 1.5,
            {"images": 2, "of": 8, "said": {classes[after]: 2}, "mean_margin": 0.1,
             "mean_level": 0.6},
            [image.id for image in images[:2]], [],
        ),
        finding(
            "slice", "images like “a striped animal”: 4 of 5 wrong, the others 0 of 3", 1,
            {"wrong": 4, "images": 5, "wrong_without": 0, "images_without": 3, "regions": 5,
             "p": 0.01, "q": 0.02, "names": ["with “striped”"], "contrasts": [
                 {"text": "with “striped”", "inside": 4, "outside": 0, "gap": 0.8, "q": 0.01}]},
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
        Figure("rho-pointing", 0.6, 0.2, 0.8, 8),
        Figure("rho-pointing-p", 0.002, None, None, 8),
        Figure("rho-pointing-q", 0.01, None, None, 8),
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
def two_runs(growing: Engine) -> tuple[int, int]:
    """Two runs on the same images; the newer has three images of tabby correct that were not."""
    older, _ = fill(growing, "mini", ["tabby", "lion"])
    newer, ids = fill(growing, "poster", ["tabby", "lion"])
    wrong = [image.id for image in queries.images(growing, ids[0], show="wrong", limit=3)]
    with growing.begin() as connection:
        connection.execute(
            text("UPDATE image SET path = replace(path, 'poster/', 'mini/') WHERE run_id = :run"),
            {"run": newer},
        )
        connection.execute(
            text(
                "UPDATE prediction SET correct = 1, predicted_class_id = class_id "
                f"WHERE image_id IN ({', '.join(map(str, wrong))})"
            )
        )
    writes.aggregate_accuracy(growing, newer)
    return older, newer


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


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that the app shows, as they come."""
    shown: list[str] = []
    notify = MapCapApp.notify

    def noting(app: MapCapApp, message: str, **options: Any) -> None:
        shown.append(message)
        notify(app, message, **options)

    monkeypatch.setattr(MapCapApp, "notify", noting)
    return shown


def strips_of(app: MapCapApp) -> list[Strip]:
    """Return the lines of the screen; Textual gives them no public name."""
    return app.screen._compositor.render_strips()


async def rest(pilot: Pilot[None]) -> None:
    """Wait until no worker runs and all messages are handled."""
    for _ in range(3):
        await pilot.pause(0)  # no wait for an idle processor: a worker is waited for by its state
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
