"""The first screen: which classes fail, and with what they are confused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from db import queries
from db.first_paint import Glance
from db.ordering import ClassSort, arranged, with_photos
from db.records import ClassName, Run, RunTotals, Stage
from tui.navigation import OpenClass, OpenMatrix, OpenRunFindings, OpenVerdict
from tui.opened import Opened
from tui.overview import card_of, title_of
from tui.screens.base import BrowseScreen
from tui.texts import accuracy_bar, number, safe, share
from tui.widgets.class_card import ClassCard
from tui.widgets.keys import Keys
from tui.widgets.record_table import Column, Rows

_SORTS: Final[tuple[ClassSort, ...]] = (
    "name",
    "images",
    "accuracy",
    "top_wrong_share",
    "mean_true_probability",
    "first_sentence",
)
_OF_ERRORS: Final = frozenset({"accuracy", "top_wrong_share", "mean_true_probability"})
"""Columns of runs with labels alone."""
# A limit that is only begun says nothing yet.
_BELOW: Final = re.compile(r"<\s*(?:(\d{1,3}(?:\.\d+)?)\s*%?|$)")


def parsed(text: str) -> tuple[str, float | None]:
    """Split a filter into words and the accuracy to stay below: `cat <30` is cat, 0.3."""
    below = _BELOW.search(text)
    words = _BELOW.sub("", text).strip()
    return words, float(below[1]) / 100 if below and below[1] else None


class ClassesScreen(BrowseScreen):
    """The table of classes, with the class under the cursor beside it."""

    HELP_TEXT = (
        "The classes of the run, the worst first. The bar is the accuracy, the line in it its "
        "95 % interval. Type / to filter by name; <30 in the filter keeps the classes below 30 %. "
        "f lists the findings of all classes, m shows the confusion matrix."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="classes.filter", tooltip="Filter as you type"),
        Binding("b", "below", "Below %", id="classes.below", tooltip="Only classes below x %"),
        Binding(
            "less_than_sign,left", "sort(-1)", "Sort", id="classes.left", tooltip="Sort by a column"
        ),
        Binding(
            "greater_than_sign,right", "sort(1)", "Sort", show=False, id="classes.right",
            tooltip="Sort by a column",
        ),
        Binding("r", "reverse", "Reverse", show=False, id="classes.reverse",
                tooltip="Reverse the order"),
        Binding("p", "pane", "Pane", id="classes.pane", tooltip="The class beside the table"),
        Binding("f", "findings", "Findings", id="classes.findings",
                tooltip="Findings of the run, of all classes"),
        Binding("m", "matrix", "Matrix", id="classes.matrix",
                tooltip="Confusion matrix of the run"),
        Binding("v", "verdict", "Verdict", id="classes.verdict", tooltip="Judge the class"),
        Binding("y", "copy", "Copy", show=False, id="classes.copy", tooltip="Copy the name"),
    ]  # fmt: skip

    def __init__(self, opened: Opened, glance: Glance | None = None) -> None:
        super().__init__(opened)
        self._glance = glance
        self._every: list[ClassName] = []
        self._sort: ClassSort = "accuracy"
        self._descending = False
        self._filter = ""
        self._keep = False

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="title")
        with Horizontal(id="panes"):
            yield Rows[ClassName](self._columns(), lambda record: record.id, id="classes")
            yield ClassCard(id="side")
        yield Input(
            placeholder="words in the name, <30 for below 30 %", id="filter", select_on_focus=False
        )
        yield Keys()

    def _columns(self) -> list[Column[ClassName]]:
        """Return the columns; without labels those that speak of errors are left out."""
        columns = [
            Column("name", "class", 16, self._name_cell, wide=True),
            Column("images", "images", 7, lambda r, w: Text(str(r.images)), right=True, rank=2),
            Column("accuracy", "accuracy", 19, _accuracy),
            Column("top_wrong_share", "predicted as", 16, _wrong, wide=True, rank=1),
            Column(
                "mean_true_probability", "p(true)", 8, lambda r, w: number(r.mean_true_probability),
                right=True, rank=3,
            ),
            Column(
                "first_sentence", "first sentence", 24, lambda r, w: safe(r.first_sentence),
                wide=True, rank=4,
            ),
        ]  # fmt: skip
        unlabelled = self.opened.run.unlabelled
        return [each for each in columns if not (unlabelled and each.key in _OF_ERRORS)]

    def on_mount(self) -> None:
        """Show what the first look at the file has found, or ask for the classes."""
        self.query_one("#filter").display = False
        self.query_one(Rows).focus()
        if self._glance is None:
            self.reload()
            return
        self._entitle(self._glance.run, self._glance.totals, self._glance.stages)
        self._take(self._glance.classes)

    def turn_to(self, opened: Opened) -> None:
        """Show another run, in the same order and with the same filter."""
        self.opened = opened
        self._keep = False
        self.query_one(Rows).columns = self._columns()
        self.refresh_bindings()
        self.reload()

    def catch_up(self) -> None:
        """Ask again, unless the first look at the file has just been shown."""
        if self._glance is None:
            self.reload()
        self._glance = None

    def reload(self) -> None:
        """Ask for all that is shown again."""
        opened = self.opened
        self.ask(
            "title",
            lambda: (
                queries.run(opened.engine, opened.run.id),
                queries.run_totals(opened.engine, opened.run.id),
                queries.stages(opened.engine, opened.run.id),
            ),
            lambda answers: self._entitle(*answers),
        )
        self.ask("rows", lambda: queries.classes(opened.engine, opened.run.id), self._take)

    def _entitle(self, run: Run, totals: RunTotals, stages: Sequence[Stage]) -> None:
        self.query_one("#title", Static).update(title_of(run, totals, stages, self.opened.newer))

    def _take(self, records: list[ClassName]) -> None:
        self._every = with_photos(records)
        self._show()

    def _show(self) -> None:
        """Show the classes in the order and with the filter that hold."""
        words, below = parsed(self._filter)
        rows = self.query_one(Rows)
        rows.sorted_by = (self._sort, self._descending)
        before = rows.record
        shown = arranged(
            self._every, sort=self._sort, descending=self._descending, words=words, below=below
        )
        rows.fill(shown, keep=self._keep)
        if not shown:
            self.query_one(ClassCard).clear()
        if self._keep and before and rows.record and rows.record.id == before.id:
            # The cursor has not moved, but its class may have grown.
            self._ask_card(rows.record)
        self._keep = True

    def _name_cell(self, record: ClassName, width: int) -> Text:
        name = safe(record.name, "bold", longest=120)
        if self.opened.of_class(record) is not None:
            name = Text.assemble(("✎ ", "magenta"), name)
        return name

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Show the class under the cursor beside the table."""
        self._ask_card(message.record)

    def _ask_card(self, record: ClassName) -> None:
        # The row is painted first: a thread that reads takes its share of the interpreter.
        card = self.query_one(ClassCard)
        self.call_after_refresh(self.ask, "card", lambda: card_of(self.opened, record), card.show)

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open a class."""
        self.post_message(OpenClass(self.opened, message.record))

    def on_rows_header_pressed(self, message: Rows.HeaderPressed) -> None:
        """Sort by the column, or turn its order round."""
        column = cast("ClassSort", message.column)
        self._descending = column == self._sort and not self._descending
        self._sort_by(column)

    def action_sort(self, step: int) -> None:
        """Sort by the next column."""
        self._descending = False
        sorts = [each for each in _SORTS if each in {c.key for c in self._columns()}]
        place = sorts.index(self._sort) if self._sort in sorts else -1
        self._sort_by(sorts[(place + step) % len(sorts)])

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._descending = not self._descending
        self._sort_by(self._sort)

    def _sort_by(self, column: ClassSort) -> None:
        self._sort = column
        self._keep = False
        self._show()

    def action_filter(self) -> None:
        """Begin to type a filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()
        self.refresh_bindings()

    def action_below(self) -> None:
        """Begin to type the accuracy to stay below; what is typed replaces the one offered."""
        words, below = parsed(self._filter)
        shown = 50 if below is None else round(100 * below)
        box = self.query_one("#filter", Input)
        box.value = f"{words} <{shown}".strip()
        self.action_filter()
        end = len(box.value)
        box.selection = Selection(end - len(str(shown)), end)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self._filter = event.value
        self._keep = False
        self._show()

    def on_input_submitted(self) -> None:
        """Go back to the table; the filter stays."""
        self.query_one("#filter").display = bool(self._filter)
        self.query_one(Rows).focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go back only where there is something to go back from; errors if known."""
        if action in ("below", "matrix") and self.opened.run.unlabelled:
            return False
        if action != "back" or not self.is_mounted:
            return action != "back"
        return bool(self._filter) or self.query_one("#filter").display or self.has_class("-pane")

    def action_back(self) -> None:
        """Take the filter away, or show the table again."""
        box = self.query_one("#filter", Input)
        if box.display or self._filter:
            box.value = ""
            self._filter = ""
            box.display = False
        self.remove_class("-pane")
        self.query_one(Rows).focus()
        self.refresh_bindings()

    def action_pane(self) -> None:
        """Show the class instead of the table where there is room for one of them only."""
        self.toggle_class("-pane")
        self.refresh_bindings()
        (self.query_one("#side") if self.has_class("-pane") else self.query_one(Rows)).focus()

    def action_findings(self) -> None:
        """Show the findings of all classes."""
        self.post_message(OpenRunFindings(self.opened))

    def action_matrix(self) -> None:
        """Show the confusion matrix."""
        self.post_message(OpenMatrix(self.opened))

    def action_verdict(self) -> None:
        """Judge the class under the cursor."""
        record = self.query_one(Rows).record
        if record is not None:
            self.post_message(OpenVerdict(self.opened, "class", [record.label], record.name))

    def action_copy(self) -> None:
        """Copy the name of the class under the cursor."""
        record = self.query_one(Rows).record
        if record is not None:
            self.copy(record.name)


def _accuracy(record: ClassName, width: int) -> Text:
    drawn = accuracy_bar(record.accuracy, record.accuracy_low, record.accuracy_high, width - 6)
    return drawn + Text(f"{share(record.accuracy):>6}", style="bold")


def _wrong(record: ClassName, width: int) -> Text:
    if record.top_wrong_name is None or not record.predicted:
        return Text("-", style="dim")
    part = f"{100 * record.top_wrong_count / record.predicted:3.0f} % "
    return Text.assemble((part, "red"), safe(record.top_wrong_name, longest=80))
