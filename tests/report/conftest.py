"""A run that is complete, with a class of hostile texts; and a browser to look at pages with."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import Engine

from db import queries, writes
from db.engine import open_read, open_write
from db.records import ROLES, ErrorWord, Figure, WordScore
from db.rows import (
    NewAudit,
    NewCaption,
    NewClass,
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
from tests.commands.conftest import call

__all__ = ["call"]

HOSTILE = (
    "</title></style><script>window.hacked = 1</script>"
    '<img src=x onerror="window.hacked=1"> \'"> {{ 7 * 7 }} &amp; =1+1 '
    "\u202eedocrtl\u202c \x1b[31mred\x07\0\n שלום مرحبا " + "long" * 2500
)
NAMES = ("tabby", "Egyptian cat", '=HYPERLINK("http://x.example")', HOSTILE)
PER_CLASS = 6
RIGHT = 2
TEXTS = ("a grey cat on a sofa.", "a striped animal.", "-2+3 cats.", HOSTILE)


def thumbnail(number: int) -> bytes:
    y, x = np.mgrid[0:64, 0:64]
    rgb = np.stack([x * 3, y * 3, np.full_like(x, number * 29 % 255)], axis=-1)
    file = BytesIO()
    Pictures.fromarray(rgb.astype(np.uint8)).save(file, "WEBP", quality=60)
    return file.getvalue()


def spec(name: str = "one") -> RunSpec:
    config = {"representation": "pooled", "sentences": 3, "redundancy": 1.0}
    networks = {"model": "tiny", "captioner": "mini", "lm": "mini", "resize_mode": "shortest"}
    return RunSpec(name, config, "mini", "some/photos", networks, {"mapcap": "1"}, "host", "cpu")


@dataclass(frozen=True)
class Full:
    """A filled store."""

    path: Path
    engine: Engine
    run_id: int
    ids: list[int]
    paths: list[list[str]]


def fill(path: Path, names: tuple[str, ...] = NAMES) -> Full:
    """Write a whole run of classes of six images, of which two are right."""
    engine = open_write(path)
    run_id = writes.start_run(engine, spec())
    labels = [NewClass(i, name, f"n{i:02}") for i, name in enumerate(names)]
    ids = writes.add_classes(engine, run_id, labels)
    paths = [[f"n{i:02}/{j} {name[:300]}.jpg" for j in range(PER_CLASS)] for i, name in
             enumerate(names)]  # fmt: skip
    new = [
        NewImage(each, ids[i], f"{i:02}{j:02}" * 8, 64, 48, 1000, (1.0, 2.0, 3.0, 4.5),
                 thumbnail(i * PER_CLASS + j))
        for i, group in enumerate(paths)
        for j, each in enumerate(group)
    ]  # fmt: skip
    writes.add_images(engine, run_id, new)
    filled = Full(path, engine, run_id, ids, paths)
    for i in range(len(ids)):
        add_class(filled, i)
    writes.aggregate_accuracy(engine, run_id)
    writes.aggregate_captions(engine, run_id)
    for i, name in enumerate(names):
        add_words(filled, i, name)
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
    writes.set_figures(engine, run_id, figures, {ids[0]: {"pointing": 0.5, "energy": 0.25}})
    writes.set_status(engine, run_id, "done")
    return filled


def add_class(store: Full, i: int) -> None:
    engine, ids = store.engine, store.ids
    own, other = ids[i], ids[(i + 1) % len(ids)]
    found = sorted(queries.images(engine, own), key=lambda image: image.path)
    right = {image.id: j < RIGHT for j, image in enumerate(found)}
    writes.add_predictions(
        engine,
        [
            NewPrediction(
                image.id,
                [(own, 0.8, 9.0), (other, 0.1, 7.0)]
                if right[image.id]
                else [(other, 0.7, 8.0), (own, 0.2, 7.0)],
                0.8 if right[image.id] else 0.2,
                1 if right[image.id] else 2,
                (2.0 if right[image.id] else -1.0) - 0.1 * j,
            )
            for j, image in enumerate(found)
        ],
    )
    grid = np.outer(np.arange(4), np.arange(4)).astype(np.float32)
    writes.add_relevance(
        engine,
        [
            NewRelevance(image.id, role, target, grid)
            for image in found
            for role, target in zip(ROLES, (own, other, other), strict=True)
            if role == "true" or not right[image.id]
        ],
    )
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    region = NewRegion((8.0, 8.0, 24.0, 24.0), 0.25, 0.5, mask, np.kron(mask, np.ones((8, 8))) > 0)
    maps = queries.relevances(engine, [image.id for image in found])
    writes.add_regions(
        engine,
        [NewRegions(each.id, [region]) for of in maps.values() for each in of.values()],
    )
    regions = [each for image in found for each in queries.regions(engine, image.id)]
    captions = [
        NewCaption(each.id, TEXTS[(i + n) % len(TEXTS)], 6, -1.0, cosine=0.3, artefact=n % 2 == 0)
        for n, each in enumerate(regions)
    ]
    writes.add_captions(engine, store.run_id, captions)


def add_words(store: Full, i: int, name: str) -> None:
    engine, class_id = store.engine, store.ids[i]
    captions = queries.pmi_candidates(engine, class_id)
    n = len(captions)
    ids = np.array([each.caption_id for each in captions])
    counts = np.array([each.count for each in captions])
    matrix = np.ones((n, n), np.float32)
    writes.add_pmi(engine, NewPmi(class_id, ids, counts, matrix, np.ones(n), np.ones(n), n))
    chosen = [NewSentence(int(each), 12.0 - k, 1.0 * k, 12.0 - 2 * k) for k, each in
              enumerate(ids[:3])]  # fmt: skip
    writes.add_summaries(engine, [NewSummary(class_id, 3, 1.0, chosen)])
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
                NewFinding("label", "2 may be labelled wrongly", 0.2, {}, wrong[:2], plain="label"),
            ],
        ),
    )


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """A complete run that tests only read."""
    store = fill(tmp_path_factory.mktemp("full") / "store.db")
    store.engine.dispose()
    reading = open_read(store.path)
    yield Full(store.path, reading, store.run_id, store.ids, store.paths)
    reading.dispose()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Full]:
    """A complete run of one test's own, of two classes."""
    store = fill(tmp_path / "own.db", NAMES[::3])
    yield store
    store.engine.dispose()


@pytest.fixture
def hostile() -> str:
    return HOSTILE


@pytest.fixture
def run_spec() -> Callable[..., RunSpec]:
    return spec


class Browser:
    """Headless Chromium, spoken to over its pipes."""

    def __init__(self, program: str, profile: Path) -> None:
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        arguments += [f"--user-data-dir={profile}", "about:blank"]
        # Chromium takes its commands from descriptor 3 and answers on 4.
        start = (
            "import fcntl, os, sys\n"
            "ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]\n"
            "for place, end in enumerate(ends, 3): os.dup2(end, place)\n"
            "os.execv(sys.argv[3], sys.argv[3:])\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, str(to_it), str(from_it), program, *arguments],
            pass_fds=(to_it, from_it),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        self._buffer, self._last, self.events = b"", 0, list[dict[str, Any]]()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._read, 1 << 20)
            if not read:
                raise EOFError("the browser has ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait(self, name: str) -> None:
        while not any(event.get("method") == name for event in self.events):
            self.events.append(self._next())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)


@dataclass(frozen=True)
class Looked:
    """What a browser saw of a page: its picture, widths, what it asked for and complained of."""

    picture: Pictures.Image
    page_width: int
    window_width: int
    requests: list[str]
    complaints: list[Any]
    evaluated: Any


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
    """Open a file in a window of some width, without scripts, and look at its first screens."""

    def at(page: Path, width: int, *, dark: bool = False, ask: str = "null") -> Looked:
        browser.events.clear()
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            browser.call(f"{domain}.enable", session)
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            session, width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.call("Emulation.setEmulatedMedia", session, features=[scheme])
        browser.call("Page.navigate", session, url=page.as_uri())
        browser.wait("Page.loadEventFired")

        def value(expression: str) -> Any:
            answer = browser.call(
                "Runtime.evaluate", session, expression=expression, returnByValue=True,
                awaitPromise=True,
            )  # fmt: skip
            return answer["result"].get("value")

        page_width = value("document.documentElement.scrollWidth")
        evaluated = value(ask)
        clip = {"x": 0, "y": 0, "width": width, "height": 2500, "scale": 1}
        shot = browser.call(
            "Page.captureScreenshot", session, captureBeyondViewport=True, clip=clip
        )
        picture = Pictures.open(BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        browser.call("Target.closeTarget", targetId=target)
        sent = [
            event["params"]["request"]["url"]
            for event in browser.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        complaints = [
            event["params"]
            for event in browser.events
            if event.get("method")
            in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]
        return Looked(picture, page_width, width, sent, complaints, evaluated)

    return at
