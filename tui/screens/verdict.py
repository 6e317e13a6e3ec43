"""Marking an image or a class."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from db.verdicts import MARKS, Kind, Mark
from tui.opened import Marks, Opened
from tui.screens.base import BrowseScreen
from tui.show import safe


class VerdictScreen(BrowseScreen):
    """Choose a mark for one thing, with a note if need be."""

    HELP_TEXT = (
        "A verdict is kept in a file of its own, NAME.verdicts.sqlite beside the store or where "
        "--verdicts says. Write a note first if there is something to say, then choose the mark."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="verdict.back", tooltip="Change nothing"),
        Binding("tab", "app.focus_next", "Note", id="verdict.note", tooltip="To the note and back"),
    ]

    def __init__(
        self, opened: Opened, kind: Kind, name: str, shown: str, offered: Mark | None = None
    ) -> None:
        super().__init__(opened)
        self._kind = kind
        self._about = name
        self._shown = shown
        self._offered = offered

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        known = self.opened.marks.get((self._kind, self._about))
        with Vertical(id="verdict"):
            yield Static(Text(f"Verdict on the {self._kind} ") + safe(self._shown, "bold"))
            options = [Option(mark, id=mark.replace(" ", "-")) for mark in MARKS]
            yield OptionList(*options, Option("take the verdict back", id="none"))
            yield Input(
                known.note if known else "", placeholder="a note (optional)", max_length=500
            )
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the mark that is offered, else at the one that holds."""
        known = self.opened.marks.get((self._kind, self._about))
        options = self.query_one(OptionList)
        first = self._offered or (known.mark if known else None)
        options.highlighted = MARKS.index(first) if first in MARKS else 0
        options.focus()

    def on_input_submitted(self) -> None:
        """Go from the note to the marks."""
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Store the mark."""
        mark: Mark | None = MARKS[event.option_index] if event.option_index < len(MARKS) else None
        note = self.query_one(Input).value
        self.ask(
            "write",
            lambda: self.opened.mark(self._kind, self._about, mark, note),
            self._stored,
        )

    def _stored(self, marks: Marks) -> None:
        self.opened.marks = marks
        self.notify(f"kept in {self.opened.verdicts.name}", timeout=3, markup=False)
        self.dismiss()
