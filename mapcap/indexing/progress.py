"""Whom a run tells how far it is, and how it is asked to stop."""

from collections.abc import Callable
from typing import Protocol


class Stopped(Exception):
    """The user asked to stop; everything finished so far is stored."""


class Progress(Protocol):
    """Somebody who watches the run."""

    def begin(self, stage: str, unit: str, done: int, total: int) -> None:
        """A stage begins with `done` of its `total` items already stored."""

    def advance(self, items: float) -> None:
        """So many items more are done; a share of one where items take long."""

    def end(self) -> None:
        """Nothing is left to do in the stage."""

    def note(self, line: str) -> None:
        """Something is to be told before a stage."""


def check(stopping: Callable[[], bool]) -> None:
    """Go on, or raise Stopped."""
    if stopping():
        raise Stopped
