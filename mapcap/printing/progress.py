"""Showing a run at work: bars on a terminal, a line a stage elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Part = TypeVar("Part")


class Rate(ProgressColumn):
    """Items per second, over the last seconds."""

    def render(self, task: Task) -> Text:
        """Draw the rate, or nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s", style="progress.data.speed")


class Bars:
    """Progress bars with count, rate and time left; one finished line a stage when piped."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # On a dumb terminal Rich draws nothing.
        self._drawn = console.is_terminal and not console.is_dumb_terminal
        self._bars = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(),
            TextColumn("{task.fields[count]} {task.fields[unit]}"),
            Rate(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._drawn,
        )
        self._task: TaskID | None = None
        self._name, self._unit = "", ""
        self._began, self._stored, self._done, self._total = 0.0, 0, 0.0, 0

    def __enter__(self) -> "Bars":
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bars as they stand."""
        self._bars.stop()

    def begin(self, stage: str, unit: str, done: int, total: int) -> None:
        """Show a new stage."""
        self._name, self._unit, self._total = stage, unit, total
        self._began, self._stored, self._done = time.monotonic(), done, float(done)
        self._task = self._bars.add_task(
            stage, total=total, completed=done, unit=unit, count=f"{done:,}/{total:,}"
        )

    def advance(self, items: float) -> None:
        """Move the bar."""
        assert self._task is not None, "begin comes first"
        self._done += items
        count = f"{int(self._done + 1e-6):,}/{self._total:,}"
        self._bars.update(self._task, advance=items, count=count)

    def end(self) -> None:
        """Say how the stage went, where there is no bar to show it."""
        assert self._task is not None, "begin comes first"
        self._bars.update(self._task, completed=self._total)
        if self._drawn:
            return
        seconds = time.monotonic() - self._began
        worked = self._total - self._stored
        rate = f", {worked / seconds:,.1f}/s" if worked and seconds else ""
        before = f" ({self._stored:,} stored before)" if self._stored else ""
        self._console.print(
            f"{self._name}: {self._total:,} {self._unit}{before}, {seconds:.1f} s{rate}",
            highlight=False,
        )

    def note(self, line: str) -> None:
        """Say a line, above the bars if they are drawn."""
        self._console.print(line, highlight=False, markup=False)


def watched(
    parts: Iterable[Part],
    console: Console,
    name: str,
    unit: str,
    total: int,
    size: Callable[[Part], int],
) -> Iterator[Part]:
    """Yield what is given, with a bar that moves by the `size` of each part once it is used."""
    with Bars(console) as bars:
        bars.begin(name, unit, 0, total)
        for part in parts:
            yield part
            bars.advance(size(part))
