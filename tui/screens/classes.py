"""The first screen: which classes fail, and with what they are confused."""

import re
from typing import ClassVar, Final, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, Input, Static

from db import queries
from db.queries.classes import ClassSort
from db.records import ClassName
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.screens.one_class import ClassScreen
from tui.screens.verdict import VerdictScreen
from tui.show import accuracy_bar, number, safe, share
from tui.widgets.class_card import Card, ClassCard
from tui.widgets.rows import Column, Rows

_SORTS: Final[tuple[ClassSort, ...]] = (
    "name",
    "images",
    "accuracy",
    "top_wrong_share",
    "mean_true_probability",
    "first_sentence",
)
_BELOW: Final = re.compile(r"<\s*(\d{1,3}(?:\.\d+)?)\s*%?")


def parsed(text: str) -> tuple[str, float | None]:
    """Split a filter into words and the accuracy to stay below: `cat <30` is cat, 0.3."""
    below = _BELOW.search(text)
    words = _BELOW.sub("", text).strip()
    return words, float(below.group(1)) / 100 if below else None


class ClassesScreen(BrowseScreen):
    """The table of classes, with the class under the cursor beside it."""

    HELP_TEXT = (
        "The classes of the run, the worst first. The bar is the accuracy, the line in it its "
        "95 % interval. Type / to filter by name; <30 in the filter keeps the classes below 30 %."
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
                tooltip="Turn the order round"),
        Binding("p", "pane", "Pane", id="classes.pane", tooltip="The class beside the table"),
        Binding("v", "verdict", "Verdict", id="classes.verdict", tooltip="Mark the class"),
        Binding("y", "copy", "Copy", show=False, id="classes.copy", tooltip="Copy the name"),
    ]  # fmt: skip

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
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
        yield Input(placeholder="words in the name, <30 for below 30 %", id="filter")
        yield Footer()

    def _columns(self) -> list[Column[ClassName]]:
        return [
            Column("name", "class", 16, self._named, wide=True),
            Column("images", "images", 7, lambda r, w: Text(str(r.images)), right=True, least=60),
            Column("accuracy", "accuracy", 19, _accuracy),
            Column("top_wrong_share", "taken for", 16, _wrong, wide=True, least=54),
            Column(
                "mean_true_probability", "p(true)", 8, lambda r, w: number(r.mean_true_probability),
                right=True, least=68,
            ),
            Column(
                "first_sentence", "first sentence", 10, lambda r, w: safe(r.first_sentence),
                wide=True, least=95,
            ),
        ]  # fmt: skip

    def on_mount(self) -> None:
        """Ask for the classes."""
        self.query_one("#filter").display = False
        self.query_one(Rows).focus()
        self.reload()

    def reload(self) -> None:
        """Ask for the classes again, in the order and with the filter that hold."""
        opened, sort, descending = self.opened, self._sort, self._descending
        words, below = parsed(self._filter)
        self.query_one(Rows).sorted_by = (sort, descending)
        self.ask(
            "rows",
            lambda: queries.classes(
                opened.engine,
                opened.run.id,
                sort=sort,
                descending=descending,
                words=words,
                below=below,
            ),
            self._show,
        )
        self.ask("title", lambda: _title(opened), self.query_one("#title", Static).update)

    def _show(self, records: list[ClassName]) -> None:
        rows = self.query_one(Rows)
        rows.fill(records, keep=self._keep)
        self._keep = True
        if rows.record is not None:
            self._ask_card(rows.record)

    def _named(self, record: ClassName, width: int) -> Text:
        name = safe(record.name, "bold", longest=120)
        if self.opened.of_class(record) is not None:
            name = Text.assemble(("✎ ", "magenta"), name)
        return name

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Show the class under the cursor beside the table."""
        self._ask_card(message.record)

    def _ask_card(self, record: ClassName) -> None:
        self.ask("card", lambda: card_of(self.opened, record), self.query_one(ClassCard).show)

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open a class."""
        self.app.push_screen(ClassScreen(self.opened, message.record))

    def on_rows_header_pressed(self, message: Rows.HeaderPressed) -> None:
        """Sort by the column, or turn its order round."""
        column = cast("ClassSort", message.column)
        self._descending = column == self._sort and not self._descending
        self._sorted(column)

    def action_sort(self, step: int) -> None:
        """Sort by the next column."""
        self._descending = False
        self._sorted(_SORTS[(_SORTS.index(self._sort) + step) % len(_SORTS)])

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self._sorted(self._sort)

    def _sorted(self, column: ClassSort) -> None:
        self._sort = column
        self._keep = False
        self.reload()

    def action_filter(self) -> None:
        """Begin to type a filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    def action_below(self) -> None:
        """Begin to type the accuracy to stay below."""
        words, below = parsed(self._filter)
        shown = 50 if below is None else round(100 * below)
        box = self.query_one("#filter", Input)
        box.value = f"{words} <{shown}".strip()
        self.action_filter()
        box.action_end()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self._filter = event.value
        self._keep = False
        self.reload()

    def on_input_submitted(self) -> None:
        """Go back to the table; the filter stays."""
        self.query_one("#filter").display = bool(self._filter)
        self.query_one(Rows).focus()

    def action_back(self) -> None:
        """Take the filter away, or show the table again."""
        box = self.query_one("#filter", Input)
        if box.display or self._filter:
            box.value = ""
            self._filter = ""
            box.display = False
        self.remove_class("-pane")
        self.query_one(Rows).focus()

    def action_pane(self) -> None:
        """Show the class instead of the table where there is room for one of them only."""
        self.toggle_class("-pane")
        (self.query_one("#side") if self.has_class("-pane") else self.query_one(Rows)).focus()

    def action_verdict(self) -> None:
        """Mark the class under the cursor."""
        record = self.query_one(Rows).record
        if record is not None:
            self.app.push_screen(VerdictScreen(self.opened, "class", record.label, record.name))

    def action_copy(self) -> None:
        """Copy the name of the class under the cursor."""
        record = self.query_one(Rows).record
        if record is not None:
            self.copy(record.name)


def card_of(opened: Opened, record: ClassName) -> Card:
    """Read what the card of a class shows."""
    engine = opened.engine
    return Card(
        record,
        opened.of_class(record),
        opened.summary(record.id),
        queries.confusions(engine, record.id),
        queries.word_scores(engine, record.id, "relevance", limit=12),
    )


def _accuracy(record: ClassName, width: int) -> Text:
    drawn = accuracy_bar(record.accuracy, record.accuracy_low, record.accuracy_high, width - 6)
    return drawn + Text(f"{share(record.accuracy):>6}", style="bold")


def _wrong(record: ClassName, width: int) -> Text:
    if record.top_wrong_name is None or not record.predicted:
        return Text("-", style="dim")
    part = f"{100 * record.top_wrong_count / record.predicted:3.0f} % "
    return Text.assemble((part, "red"), safe(record.top_wrong_name, longest=80))


def _title(opened: Opened) -> Text:
    """Read the line above the table: how much the run holds, and how far the job has come."""
    run = queries.run(opened.engine, opened.run.id)
    found = queries.counts(opened.engine, opened.run.id)
    text = Text.assemble((f"Run {run.id} ", "bold"), safe(f"{run.preset}  ", longest=40))
    text.append(f"{found.classes} classes  {found.images} images  ")
    if found.predicted:
        text.append(f"accuracy {share(found.correct / found.predicted)}  ", style="bold")
    if run.status != "done":
        stages = queries.stages(opened.engine, opened.run.id)
        now = next((s for s in stages if s.status == "running"), None)
        where = f": {now.name} {now.done}/{now.total}" if now else ""
        text.append_text(safe(f"{run.status}{where}", "yellow"))
    return text
