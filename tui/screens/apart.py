"""One class in two runs: the errors that one of them alone makes, side by side."""

from collections.abc import Callable
from typing import ClassVar, Final, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from db import queries
from db.records import Finding, Run
from db.records.evidence import OneSidedError
from mapcap.runs.comparison import Apart, errors_apart, verdict
from mapcap.runs.source import predicted_by
from mapcap.text import counted
from tui.navigation import Among, ClassPair, OpenClass, OpenImage
from tui.opened import Opened
from tui.screens.base import BrowseScreen
from tui.texts import OUTCOMES, probability, safe
from tui.widgets.finding_text import TAG_WIDTH, tag
from tui.widgets.keys import Keys
from tui.widgets.record_table import Column, Rows

Side = Literal["older", "newer"]
_SIDES: Final[tuple[Side, ...]] = ("older", "newer")


class ApartScreen(BrowseScreen):
    """What each of two runs alone gets wrong of a class, over its findings of the class."""

    HELP_TEXT = (
        "One class in two runs: on either side the images that this run alone gets wrong, with "
        "what it predicts, over what its audit found of the class. o goes to the other run, tab to "
        "the next table. Enter opens an image or a finding in its own run, c the class."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,left,right", "other", "Other run", id="apart.other",
                tooltip="The same table of the other run"),
        Binding("c", "open_class", "Class", id="apart.class",
                tooltip="The class in the run of the table"),
    ]  # fmt: skip

    def __init__(self, opened: Opened, older: Run, newer: Run, pair: ClassPair) -> None:
        super().__init__(opened)
        self._runs: dict[Side, Run] = {"older": older, "newer": newer}
        self._pair = pair

    def compose(self) -> ComposeResult:
        """Lay out the two sides."""
        yield Static(_title(self._runs["older"], self._runs["newer"], self._pair), id="title")
        with Horizontal(id="apart"):
            for side in _SIDES:
                errors: list[Column[OneSidedError]] = [
                    Column("path", "image", 9, _path, wide=True),
                    Column("predicted", "predicted as", 8, _predicted(side), wide=True),
                ]
                findings: list[Column[Finding]] = [
                    Column("kind", "finding", TAG_WIDTH, lambda r, w: tag(r.plain, r.colour)),
                    Column("title", "", 14, lambda r, w: safe(r.title), wide=True),
                ]
                with Vertical():
                    yield Static(id=f"{side}-head", classes="head")
                    yield Rows(errors, lambda r: r.path, empty="none", id=f"{side}-errors")
                    yield Rows(findings, lambda r: r.id, empty="none", id=f"{side}-findings")
        yield Static(id="cell")
        yield Keys()

    def on_mount(self) -> None:
        """Ask for both sides."""
        self.query_one("#older-errors").focus()
        self.reload()

    def reload(self) -> None:
        """Ask for both sides again."""
        engine, record = self.opened.engine, self._pair.newer
        older, newer = (self._runs[side].id for side in _SIDES)
        self.ask("apart", lambda: errors_apart(engine, newer, older, record), self._show)

    def _show(self, apart: Apart) -> None:
        for side, found in zip(_SIDES, (apart.before, apart.now), strict=True):
            run, errors = self._runs[side], counted(len(found.errors), "error")
            head = Text(f"run {run.id} alone: {errors}  ", style="bold")
            self.query_one(f"#{side}-head", Static).update(head + safe(predicted_by(run), "cyan"))
            self.query_one(f"#{side}-errors", Rows).fill(found.errors)
            self.query_one(f"#{side}-findings", Rows).fill(found.findings)

    def on_descendant_focus(self) -> None:
        """Say what is under the cursor of the table that one goes to."""
        self._tell()

    def on_rows_moved(self, message: Rows.Moved) -> None:
        """Say what is under the cursor in full."""
        self._tell()

    def _tell(self) -> None:
        rows = self.focused
        record = rows.record if isinstance(rows, Rows) else None
        text = Text()
        if isinstance(record, OneSidedError):
            predicted = _predicted(self._side)(record, 0)
            text = safe(record.path) + Text(" → ", "dim") + predicted
        elif isinstance(record, Finding):
            text = tag(record.plain, record.colour) + Text(" ") + safe(record.title)
        self.query_one("#cell", Static).update(text)

    @property
    def _side(self) -> Side:
        """The run whose table has the focus."""
        table = self.focused.id if self.focused is not None else None
        return "newer" if table is not None and table.startswith("newer") else "older"

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        """Open an image or a finding in the run that it is of."""
        side, record = self._side, message.record
        if isinstance(record, Finding):
            self._open_class(side, record)
            return
        engine, run_id, path = self.opened.engine, self._runs[side].id, record.path
        self.ask(
            "image",
            lambda: queries.locate_images(engine, run_id, [path]),
            lambda found: self._open_image(side, found.get(path)),
        )

    def _open_image(self, side: Side, found: tuple[int, int] | None) -> None:
        if found is not None:
            opened = self.opened.at(self._runs[side])
            self.post_message(OpenImage(opened, found[0], Among("wrong")))

    def action_other(self) -> None:
        """Go to the same table of the other run."""
        table = self.focused.id if self.focused is not None else None
        kind = "findings" if table is not None and table.endswith("findings") else "errors"
        self.query_one(f"#{'older' if self._side == 'newer' else 'newer'}-{kind}").focus()

    def action_open_class(self) -> None:
        """Open the class in the run of the table."""
        self._open_class(self._side, None)

    def _open_class(self, side: Side, finding: Finding | None) -> None:
        record = self._pair.newer if side == "newer" else self._pair.older
        self.post_message(OpenClass(self.opened.at(self._runs[side]), record, finding))


def _title(older: Run, newer: Run, pair: ClassPair) -> Text:
    text = safe(pair.newer.name, "bold", longest=60) + Text(f"  run {older.id} → run {newer.id}  ")
    change = pair.change
    if change is None:
        return text + Text("they share no predicted image of it", style="yellow")
    text.append(
        f"{change.images:,} images in both: {change.before:,} → {change.now:,} correct, "
        f"{change.gained:,} gained, {change.lost:,} lost, p {probability(change.p)}  "
    )
    outcome = verdict(change)
    return text + Text(outcome, style=OUTCOMES[outcome])


def _path(error: OneSidedError, width: int) -> Text:
    path = error.path
    return safe(path if len(path) <= width else "…" + path[1 - width :])


def _predicted(side: Side) -> Callable[[OneSidedError, int], Text]:
    """Return the cell of what a run predicts."""
    return lambda error, width: safe(
        error.before_name if side == "older" else error.now_name, "red", longest=60
    )
