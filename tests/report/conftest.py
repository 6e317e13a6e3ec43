"""A run that is complete, with a class of hostile texts; and a browser to look at pages with."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db import queries, writes
from db.engine import finish, open_read, open_write
from db.records import ErrorWord, Figure, WordScore
from db.rows import NewAudit, NewFinding, RunSpec
from tests.report.browser import Browser, Looked, look_at
from tests.report.parsing import Page, source_of
from tests.stores import Photo, StoredRun, copy_run, make_spec, summarize, write_run

HOSTILE = (
    "</title></style><script>window.hacked = 1</script>"
    '<img src=x onerror="window.hacked=1"> \'"> {{ 7 * 7 }} &amp; =1+1 '
    "\u202eedocrtl\u202c \x1b[31mred\x07\0\n שלום مرحبا " + "long" * 2500
)
NAMES = ("tabby", "Egyptian cat", '=HYPERLINK("http://x.example")', HOSTILE)
PER_CLASS = 6
RIGHT = 2
TEXTS = ("a grey cat on a sofa.", "a striped animal.", "-2+3 cats.", HOSTILE)


def spec() -> RunSpec:
    networks = {"model": "tiny", "captioner": "mini", "lm": "mini", "resize_mode": "shortest"}
    return make_spec("one", dataset="some/photos", networks=networks, versions={"mapcap": "1"})


def photos(place: int, name: str, classes: int) -> list[Photo]:
    """Return a class's photos: the first are right, the others predicted as the next class."""

    def text(n: int) -> list[str]:
        return [TEXTS[(place + n) % len(TEXTS)]]

    return [
        Photo(
            path=f"n{place:02}/{j} {name[:300]}.jpg",
            predicted=place if j < RIGHT else (place + 1) % classes,
            captions={"true": text(j), "predicted": text(j + 1), "contrast": text(j + 2)},
            box=(1.0, 2.0, 3.0, 4.5),
        )
        for j in range(PER_CLASS)
    ]


def fill(path: Path, names: tuple[str, ...] = NAMES) -> StoredRun:
    """Write a whole run of classes of six images, of which two are right."""
    classes = {name: photos(place, name, len(names)) for place, name in enumerate(names)}
    filled = write_run(open_write(path), classes, spec=spec(), artefacts=TEXTS[::2])
    for class_id, name in zip(filled.ids, names, strict=True):
        summarize(filled, class_id, lengths=[3])
        add_audit(filled, class_id, name)
    figures = [
        Figure("pointing", 0.7, 0.6, 0.8, 24),
        Figure("pointing-centre-prior", 0.5, 0.4, 0.6, 24),
        Figure("pointing-gain", 0.2, 0.1, 0.3, 24),
        Figure("map-mass", 0.3, None, None, 24),
        Figure("a figure of a later version", 0.3, None, None, 24),
        Figure("rho-pointing", -0.9, -1.0, -0.2, 4),
        Figure("rho-pointing-p", 0.01, None, None, 4),
        Figure("rho-pointing-q", 0.02, None, None, 4),
    ]
    per_class = {filled.ids[0]: {"pointing": 0.5, "energy": 0.25}}
    writes.set_figures(filled.engine, filled.run_id, figures, per_class)
    writes.set_status(filled.engine, filled.run_id, "done")
    return filled


def add_audit(store: StoredRun, class_id: int, name: str) -> None:
    engine = store.engine
    words = [WordScore(HOSTILE, 1.0, 5), WordScore("sofa", 0.25, 2)]
    writes.add_word_scores(engine, class_id, "relevance", words)
    images = sorted(queries.images(engine, class_id), key=lambda image: image.path)
    wrong = [image.id for image in images[RIGHT:]]
    regions = [each.id for each in queries.regions(engine, wrong[0])]
    details = ["100 % of the errors go there (q 1.0e-09).", f"    3× {HOSTILE}"]
    bins = [{"low": 0.6, "high": 0.7, "images": 4, "confidence": 0.7, "accuracy": 0.0}]
    writes.add_audit(
        engine,
        NewAudit(
            class_id,
            f"{name}: 2 of 6 correct; {HOSTILE}",
            [],
            {"ece": 0.3, "bins": bins},
            [ErrorWord(HOSTILE, None, 1.0, 2.5, 0.0001, 0.1, 0.0, 0.2, 4, 0, 4)],
            [
                # Not in the order of their ids: what is first is most telling.
                NewFinding(
                    "confusion",
                    f"4 of 6 {HOSTILE}",
                    0.4,
                    {"share_of_errors": 1.0, "q": 1e-9},
                    wrong[::-1],
                    regions,
                    "confusion",
                    "#ff6b6b",
                    details=details,
                ),
                NewFinding(
                    "label", "2 are possible label errors", 0.2, {}, wrong[:2], plain="label"
                ),
            ],
        ),
    )


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredRun]:
    """A complete run that tests only read."""
    store = fill(tmp_path_factory.mktemp("full") / "store.db")
    store.engine.dispose()
    reading = open_read(store.path)
    yield replace(store, engine=reading)
    reading.dispose()


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    store = fill(tmp_path_factory.mktemp("two") / "store.db", NAMES[::3])
    finish(store.engine)
    return store


@pytest.fixture
def own(two_classes: StoredRun, tmp_path: Path) -> Iterator[StoredRun]:
    """A complete run of one test's own, of two classes."""
    store = copy_run(two_classes, tmp_path / "own.db")
    yield store
    store.engine.dispose()


@pytest.fixture
def hostile() -> str:
    return HOSTILE


@pytest.fixture
def run_spec() -> Callable[..., RunSpec]:
    return spec


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "chrome-headless-shell")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on the PATH")
    opened = Browser(program, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def look(browser: Browser) -> Callable[..., Looked]:
    return partial(look_at, browser)


@pytest.fixture(scope="module")
def source(filled: Any) -> str:
    return source_of(filled.engine)


@pytest.fixture(scope="module")
def parsed(source: str) -> Page:
    return Page(source)
