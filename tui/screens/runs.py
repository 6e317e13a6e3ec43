"""The runs of the file: what they are, switching, and comparing two."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from db import queries
from db.records import Run, RunCounts, Stage
from mapcap.runs.standing import classes_of
from tui.navigation import OpenComparison, OpenMetrics, SwitchRun
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import safe, share
from tui.widgets.keys import Keys
from tui.widgets.record_table import Column, Rows


@dataclass(frozen=True)
class RunRow:
    """A run with its figures."""

    run: Run
    counts: RunCounts
    stages: Sequence[Stage]
    differs: str
    """The settings that differ between the runs of the file, with this run's values."""


class RunsScreen(BrowseScreen):
    """A table of runs with the facts of the one under the cursor."""

    HELP_TEXT = (
        "The runs of this file. Enter looks at a run, c compares it with the current one, "
        "f shows its metrics."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="Compare with the current"),
        Binding("f", "metrics", "Metrics", id="runs.metrics", tooltip="Metrics"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(Text("Runs", style="bold"), id="title")
        columns: list[Column[RunRow]] = [
            Column("now", "", 1, self._now),
            Column("id", "run", 4, lambda r, w: Text(str(r.run.id)), right=True),
            Column("preset", "preset", 8, lambda r, w: safe(r.run.preset, longest=40), rank=3),
            Column("accuracy", "accuracy", 8, _accuracy, right=True),
            Column("images", "images", 9, lambda r, w: Text(str(r.counts.images)), right=True,
                   rank=4),
            Column("status", "status", 11, lambda r, w: safe(r.run.status), rank=1),
            Column("started", "began", 16, _began, rank=2),
            Column("differs", "what differs", 14, lambda r, w: safe(r.differs), wide=True),
            Column("dataset", "photos", 24, lambda r, w: safe(r.run.dataset), wide=True, rank=5),
        ]  # fmt: skip
        yield Rows[RunRow](columns, lambda r: r.run.id, id="runs")
        with VerticalScroll(id="run-facts"):
            yield Static(id="facts-of-run")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for the runs."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the runs again."""
        self.ask("runs", lambda: read_rows(self.opened), self.query_one(Rows).fill)

    def _now(self, record: RunRow, width: int) -> Text:
        return Text("●" if record.run.id == self.opened.run.id else "", style="green")

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Show the facts of a run."""
        self.query_one("#facts-of-run", Static).update(_facts(message.record))

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Look at a run."""
        self.post_message(SwitchRun(self.opened, message.record.run))

    def action_compare(self) -> None:
        """Compare the run under the cursor with the one looked at."""
        chosen = self.query_one(Rows).record
        if chosen is None:
            return
        if chosen.run.id == self.opened.run.id:
            self.notify("select a different run to compare", timeout=3, markup=False)
            return
        self.post_message(OpenComparison(self.opened, chosen.run))

    def action_metrics(self) -> None:
        """Show the metrics of the run under the cursor."""
        chosen = self.query_one(Rows).record
        if chosen is None:
            return
        opened = self.opened
        if chosen.run.id != opened.run.id:
            opened = replace(opened, run=chosen.run, marks={})
        self.post_message(OpenMetrics(opened))


def read_rows(opened: Opened) -> list[RunRow]:
    """Read all runs with their figures."""
    engine = opened.engine
    runs = queries.runs(engine)
    return [
        RunRow(run, queries.counts(engine, run.id), queries.stages(engine, run.id), text)
        for run, text in zip(runs, differing(runs), strict=True)
    ]


def differing(runs: Sequence[Run]) -> list[str]:
    """Return for each run its values of the settings that are not the same in all runs."""
    settings = [run.config | run.networks for run in runs]
    names = sorted({name for each in settings for name in each})
    varied = [
        name for name in names if any(each.get(name) != settings[0].get(name) for each in settings)
    ]
    return [", ".join(f"{name} {_plain(each.get(name))}" for name in varied) for each in settings]


def _plain(value: object) -> str:
    if isinstance(value, list):
        return " | ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _accuracy(record: RunRow, width: int) -> Text:
    correct, predicted = record.counts.correct, record.counts.predicted
    return Text(share(None if correct is None or not predicted else correct / predicted))


def _began(record: RunRow, width: int) -> Text:
    return Text(f"{record.run.started:%Y-%m-%d %H:%M}")


def _facts(record: RunRow) -> Text:
    run, counts = record.run, record.counts
    text = Text(
        f"{classes_of(run, counts)}, {counts.regions} regions, {counts.captions} captions\n"
    )
    for title, values in (("networks", run.networks), ("config", run.config)):
        text.append(f"\n{title}\n", style="bold")
        for key, value in values.items():
            text.append("  ").append_text(safe(f"{key}: {value}", longest=200)).append("\n")
    text.append("\nstages\n", style="bold")
    for stage in record.stages:
        line = safe(f"{stage.name}: {stage.done}/{stage.total} {stage.status}")
        text.append("  ").append_text(line).append("\n")
    for note in run.notes:
        text += Text.assemble(("\n! ", "yellow"), safe(str(note)))
    return text
