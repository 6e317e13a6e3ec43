"""Calling the reading commands within this process, and judging what they print."""

import contextlib
import io
import json
import os
import random
import re
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from mapcap import cli

SECONDS = 10
"""Of the processor: other programs may run beside a proof."""
WAITING = 120
"""On the clock, for what waits and works not: a pipe without a writer, a lock."""
_AGAIN = 5
_MEGABYTES = 1024
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_FORMULA = re.compile(r'(?m)(^|,)"?[=+@]|(^|,)"?-(?![\d.]|$)')
_NOTES = re.compile(r"run -?\d+ is not finished: this is run -?\d+")


class Call(NamedTuple):
    """What a command came to; `trouble` is a traceback, or how it was ended."""

    code: int
    out: str
    err: str
    trouble: str


class TooSlowError(BaseException):
    """The command took longer than any may."""


@contextmanager
def limited_to(seconds: float, waiting: float = WAITING) -> Iterator[None]:
    """End what takes longer: so many seconds of the processor, or so many on the clock.

    An event loop logs what its callbacks raise and goes on, so it is raised until it is heard.
    """
    late = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal late
        late = True
        raise TooSlowError

    timers = {signal.SIGPROF: signal.ITIMER_PROF, signal.SIGALRM: signal.ITIMER_REAL}
    before = {number: signal.signal(number, end) for number in timers}
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    signal.setitimer(signal.ITIMER_REAL, waiting, _AGAIN)
    try:
        yield
        if late:
            raise TooSlowError
    finally:
        for number, timer in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def call(*arguments: str, seconds: float = SECONDS) -> Call:
    """Run a command in this process, as far as it comes in so many seconds of the processor."""
    out, err = _stream(), _stream()
    code, trouble, memory = 0, "", _peak()
    before, sys.argv = sys.argv, ["mapcap", *arguments]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            limited_to(seconds, WAITING * seconds / SECONDS),
        ):
            cli.main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except TooSlowError:
        trouble = f"over {seconds} s"
    except BaseException:
        trouble = _last(traceback.format_exc())
    finally:
        sys.argv = before
    # A proof may hold torch itself: what this command has added counts.
    if _peak() > max(_MEGABYTES, memory + _MEGABYTES // 4):
        trouble = trouble or f"{_peak()} MB of memory"
    return Call(code, _written(out), _written(err), trouble)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8", "surrogateescape")


def _last(trace: str) -> str:
    """Return the error of a traceback, and where in our code it was raised."""
    ours = re.findall(r'File ".*?/((?:db|mapcap|tui)/[^"]*)", line (\d+)', trace)
    place = ":".join(ours[-1]) if ours else "?"
    return f"{trace.strip().splitlines()[-1][:200]} ({place})"


def faults_of(done: Call, arguments: tuple[str, ...]) -> list[str]:
    """Return what is wrong with how a command ended and what it printed."""
    faults = [done.trouble] if done.trouble else []
    if done.code not in (0, 2):
        faults.append(f"exit code {done.code}")
    for name, text in (("stdout", done.out), ("stderr", done.err)):
        steering = _STEERING.search(text)
        if steering:
            faults.append(f"{steering.group()!a} on {name}")
    said = [line for line in done.err.splitlines() if not _NOTES.fullmatch(line)]
    if done.code == 2 and not done.trouble and len(said) != 1:
        faults.append(f"{len(said)} lines on stderr: {done.err[:200]!a}")
    if "--json" in arguments and done.code == 0 and not done.trouble:
        try:
            json.loads(done.out, parse_constant=_refuse)
        except ValueError as error:
            faults.append(f"no JSON: {error}")
    return faults


def _refuse(text: str) -> None:
    raise ValueError(text)


def faults_of_file(file: Path) -> list[str]:
    """Return what is wrong with an exported table or a report."""
    if not file.exists():
        return []
    text = file.read_text("utf-8")
    faults = []
    steering = _STEERING.search(text)
    if steering:
        faults.append(f"{steering.group()!a} in {file.suffix}")
    if file.suffix == ".csv" and _FORMULA.search(text):
        faults.append("a formula in CSV")
    if file.suffix == ".html":
        page = _Page()
        page.feed(text)
        faults += page.faults
    if file.suffix == ".jsonl":
        for line in text.splitlines():
            json.loads(line, parse_constant=_refuse)
    return faults


class _Page(HTMLParser):
    """Notes what a page without scripts must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        if tag in ("script", "iframe", "object", "embed", "base", "form", "link"):
            self.faults.append(f"<{tag}> in the report")
        for name, value in attrs:
            outside = name in ("src", "href") and not (value or "").startswith(("data:image/", "#"))
            if name.startswith("on") or outside:
                self.faults.append(f"{name}={ascii(value)[:80]} in the report")


def commands(
    store: Path, out: Path, classes: list[str], paths: list[str], chance: random.Random
) -> list[tuple[str, ...]]:
    """Return every reading command for a store, some with --json; files are written to `out`."""
    db, name, path = str(store), chance.choice(classes), chance.choice(paths)
    table = chance.choice(("classes", "images", "regions", "captions", "summaries", "findings"))
    form = chance.choice(("csv", "jsonl"))
    # Most of a report's time goes into drawing: a class is drawn as the next one is.
    some = ("--class", name) if chance.random() < 0.7 else ()
    every: list[tuple[str, ...]] = [
        ("status", db),
        ("classes", db, "--sort", chance.choice(("accuracy", "name", "first_sentence"))),
        ("show", db, name),
        ("image", db, path),
        ("search", db, "a"),
        ("audit", db),
        ("audit", db, name),
        ("audit", db, "--run", "1", "--against", "1"),
        ("evaluate", db),
        ("summarize", db, "-k", "2"),
        ("verdicts", db),
        ("export", db, "--table", table, "--out", str(out / f"{table}.{form}")),
        ("report", db, "--out", str(out / "report.html"), *some),
    ]
    return [(*each, "--json") if chance.random() < 0.4 else each for each in every]


def quiet_environment() -> None:
    """Let a terminal of fixed width be assumed, nothing move, and nothing be loaded from afar."""
    os.environ |= {
        "COLUMNS": "120", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
        "TEXTUAL_ANIMATIONS": "none",
    }  # fmt: skip


def share_statements() -> None:
    """Let every engine of this process take the statements that another one has compiled.

    Each command opens its own; to compile its statements takes longer than to run them.
    """
    from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as Dialect
    from sqlalchemy.engine import Engine
    from sqlalchemy.util import LRUCache

    compiled = LRUCache[Any, Any](2_000)
    Dialect.__hash__ = lambda _: 1  # type: ignore[method-assign,assignment]
    Dialect.__eq__ = lambda _, other: isinstance(other, Dialect)  # type: ignore[method-assign]
    make = Engine.__init__

    def made(self: Engine, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        self._compiled_cache = compiled

    Engine.__init__ = made  # type: ignore[method-assign]
