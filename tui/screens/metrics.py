"""The metrics of a run, and accuracy against one of them across the classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from db import queries
from db.records import ClassName
from mapcap.metrics.answer import linked
from mapcap.stats import SIGNIFICANT
from tui.navigation import OpenClass
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.screens.findings import why_missing
from tui.texts import number, safe
from tui.widgets.figure_table import FigureLine, figure_columns, lines_of
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows
from tui.widgets.scatter import Point, Scatter

_MOST_NAMED: Final = 4
_HINT: Final = "`mapcap evaluate FILE --sample 200` measures, where the photos are"


@dataclass(frozen=True)
class StoredMetrics:
    """The figures of a run and of its classes, or why there are none."""

    lines: Sequence[FigureLine]
    classes: Sequence[ClassName]
    per_class: Mapping[int, Mapping[str, float]]
    missing: str
    links: Sequence[tuple[str, float]] = ()
    """The figures that accuracy correlates with, and each one's rho."""


class MetricsScreen(BrowseScreen):
    """A table of figures with intervals; beside it the plot of the one under the cursor."""

    HELP_TEXT = (
        "The metrics of the run. Gain: by how much a map is better than a plain spot "
        "in the centre, or than chance. Rho: how accuracy correlates with it across classes "
        f"(Spearman), significant where q is at most {SIGNIFICANT}. The plot shows the metric "
        "under the cursor for each class; n and p mark one, enter opens it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right", "mark(1)", "Class", id="metrics.next", tooltip="Mark the next class"),
        Binding("p,left", "mark(-1)", "Class", show=False, id="metrics.previous",
                tooltip="Mark the class before"),
        Binding("s", "sort", "Sort", id="metrics.sort", tooltip="By name, or by rho"),
        Binding("t", "pane", "Table/plot", id="metrics.pane", tooltip="The plot alone, and back"),
        Binding("y", "copy", "Copy", show=False, id="metrics.copy", tooltip="Copy the metrics"),
    ]  # fmt: skip

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._by_rho = False
        self._stored = StoredMetrics((), (), {}, "")

    def compose(self) -> ComposeResult:
        """Lay out the table and the plot."""
        yield Static(id="title")
        with Horizontal(id="panes"):
            yield Rows[FigureLine](
                figure_columns(), lambda line: line.name, empty="no metrics", id="figures"
            )
            with Vertical(id="plot-side"):
                yield Scatter(id="plot")
                yield Static(id="point")
        yield Static(id="meaning")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for the figures."""
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the figures again."""
        self.ask("figures", lambda: read_metrics(self.opened), self._show)

    def _show(self, stored: StoredMetrics) -> None:
        self._stored = stored
        title = Text.assemble((f"Metrics of run {self.opened.run.id}  ", "bold"))
        title.append_text(
            safe(stored.missing, "yellow") if stored.missing else _answer(stored.links)
        )
        self.query_one("#title", Static).update(title)
        self._fill()

    def _fill(self) -> None:
        lines = list(self._stored.lines)
        if self._by_rho:
            lines.sort(key=lambda line: -abs(line.rho.value) if line.rho is not None else 1)
        self.query_one(Rows).fill(lines)
        self._plot()

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Plot the figure under the cursor, and say what it means."""
        line: FigureLine = message.record
        meaning = safe(self.opened.meaning(line.name), "dim")
        meaning.no_wrap, meaning.overflow = True, "ellipsis"
        self.query_one("#meaning", Static).update(meaning)
        self._plot()

    def _plot(self) -> None:
        line: FigureLine | None = self.query_one(Rows).record
        name = line.plotted if line is not None else ""
        points = [
            Point(record.name, record.accuracy, self._stored.per_class[record.id][name])
            for record in self._stored.classes
            if record.accuracy is not None and name in self._stored.per_class.get(record.id, {})
        ]
        self.query_one(Scatter).show(points, "accuracy", name)
        self._say()

    def _say(self) -> None:
        """Show which class is marked."""
        point, line = self.query_one(Scatter).point, self.query_one(Rows).record
        text = Text("n and p mark a class", style="dim")
        if point is not None and line is not None:
            text = safe(point.name, "bold", longest=60)
            text.append(f"  accuracy {point.x:.2f}, ").append_text(safe(line.plotted))
            text.append(f" {point.y:.3g}")
        self.query_one("#point", Static).update(text)

    def action_mark(self, step: int) -> None:
        """Mark the next class by accuracy, or the one before."""
        self.query_one(Scatter).move(step)
        self._say()

    def action_sort(self) -> None:
        """Sort by name, or by how strongly accuracy correlates with it."""
        self._by_rho = not self._by_rho
        self._fill()

    def action_pane(self) -> None:
        """Show the plot instead of the table, or the table again."""
        self.toggle_class("-pane")
        if not self.has_class("-pane"):
            self.query_one(Rows).focus()

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open the marked class; the plot alone if there is none."""
        point = self.query_one(Scatter).point
        named = [each for each in self._stored.classes if point and each.name == point.name]
        if named:
            self.post_message(OpenClass(self.opened, named[0]))
        else:
            self.action_pane()

    def action_copy(self) -> None:
        """Copy the metrics as lines of name, value and interval."""
        self.copy("\n".join(line.plain for line in self._stored.lines))


def read_metrics(opened: Opened) -> StoredMetrics:
    """Read the figures of a run."""
    engine, run_id = opened.engine, opened.run.id
    # The run need not be the one that the app looks at, whose verdicts are read every few seconds.
    opened.marks = opened.read_marks()
    figures = queries.figures(engine, run_id)
    lines = lines_of(figures)
    if lines:
        classes = queries.classes(engine, run_id)
        return StoredMetrics(
            lines, classes, queries.class_figures(engine, run_id), "", linked(figures)
        )
    run, stages = queries.run(engine, run_id), queries.stages(engine, run_id)
    return StoredMetrics((), (), {}, why_missing("metrics", "evaluation", _HINT, run, stages))


def _answer(links: Sequence[tuple[str, float]]) -> Text:
    """Say what accuracy correlates with."""
    if not links:
        return Text("no metric correlates significantly with accuracy", style="dim")
    text = Text("accuracy correlates with ", style="dim")
    for place, (name, rho) in enumerate(links[:_MOST_NAMED]):
        text.append(", " if place else "").append_text(safe(name, "bold"))
        text.append(f" (rho {number(rho).plain})")
    return text
