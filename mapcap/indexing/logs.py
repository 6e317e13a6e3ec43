"""The log of a run: what a night's indexing leaves to be read in the morning."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db.errors import StoreError
from mapcap.errors import UserError
from mapcap.indexing.progress import Progress
from mapcap.text import clean

if TYPE_CHECKING:
    from rich.console import Console

_EVERY: Final = 60.0
"""Seconds between two lines about how far a stage is."""
_FORM: Final = "%(asctime)s %(levelname)-7s %(message)s"

_log = logging.getLogger("mapcap.index")


def say(console: Console, line: str, style: str | None = None) -> None:
    """Print a line about a run, and log it: one with a style is a warning."""
    _log.log(logging.WARNING if style else logging.INFO, "%s", line)
    console.print(clean(line), style=style, highlight=False, markup=False, soft_wrap=True)


class _Line(logging.Formatter):
    """One line a message: what comes from outside cannot make a second one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = clean(record.message)
        return super().formatMessage(record)


@contextmanager
def logging_to(file: Path | None) -> Iterator[None]:
    """Add what MapCap logs, and what libraries warn of, to a file; without one it goes nowhere.

    An error that ends the run stands there too. Raises UserError where the file cannot be written.
    """
    handler = logging.NullHandler() if file is None else _opened(file)
    root, ours = logging.getLogger(), logging.getLogger("mapcap")
    level = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    logging.captureWarnings(True)
    try:
        yield
    except (UserError, StoreError) as error:
        _log.error("%s", error)
        raise
    except (Exception, KeyboardInterrupt) as error:
        _log.exception("ended by %s", type(error).__name__)
        raise
    finally:
        logging.captureWarnings(False)
        ours.setLevel(level)
        root.removeHandler(handler)
        handler.close()


def _opened(file: Path) -> logging.Handler:
    try:
        handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(
            f"--log {file} cannot be written ({error.strerror}): name another file."
        ) from error
    handler.setFormatter(_Line(_FORM))
    return handler


class Logged:
    """Passes on how far a run is, and logs it: where a stage begins and ends, and each minute."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._name, self._unit, self._total = "", "", 0
        self._stored, self._done = 0, 0.0
        self._began = self._told = 0.0

    def begin(self, stage: str, unit: str, done: int, total: int) -> None:
        """Log a new stage."""
        self._name, self._unit, self._total = stage, unit, total
        self._stored, self._done = done, float(done)
        self._began = self._told = time.monotonic()
        _log.info("%s begins: %s of %s %s are stored", stage, f"{done:,}", f"{total:,}", unit)
        self._shown.begin(stage, unit, done, total)

    def advance(self, items: float) -> None:
        """Log how far the stage is, if it was a while ago."""
        self._done += items
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._tell("")
        self._shown.advance(items)

    def end(self) -> None:
        """Log how the stage went."""
        self._tell("done: ")
        self._shown.end()

    def note(self, line: str) -> None:
        """Log a line and pass it on."""
        _log.info("%s", line)
        self._shown.note(line)

    def _tell(self, word: str) -> None:
        seconds = time.monotonic() - self._began
        worked = self._done - self._stored
        rate = f", {worked / seconds:,.1f}/s" if worked and seconds else ""
        far = f"{int(self._done + 1e-6):,} of {self._total:,} {self._unit}"
        _log.info("%s %s%s, %.1f s%s", self._name, word, far, seconds, rate)


def note_unreadable(images: Sequence[tuple[str, str]]) -> None:
    """Log every image that could not be read, with the reason."""
    for path, error in images:
        _log.warning("could not be read: %s: %s", path, error)
