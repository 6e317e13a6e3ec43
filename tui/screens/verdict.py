"""The verdict on an image, a class or a finding, in a small window over it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from db.verdicts import MARKS, Kind, Mark
from tui.opened import Marks, Opened
from tui.screens.base import BrowseScreen
from tui.texts import safe

_HINT = "a digit or enter saves, tab goes to the note and back, esc changes nothing"


class VerdictScreen(BrowseScreen, ModalScreen[None]):
    """Choose a mark for one thing, with a note if need be."""

    HELP_TEXT = (
        "A verdict is kept in a file of its own, NAME.verdicts.sqlite beside the store or where "
        "--verdicts says. Write a note first if there is something to say, then choose the mark."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="verdict.back", tooltip="Change nothing"),
        Binding("tab", "app.focus_next", "Note", id="verdict.note", tooltip="To the note and back"),
        *(
            Binding(str(n), f"choose({n})", "Mark", show=False, id=f"verdict.{n}")
            for n in range(1, 10)
        ),
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
        words = [*MARKS[self._kind], "take the verdict back"]
        with Vertical(id="verdict"):
            about = Text(f"Verdict on the {self._kind} ") + safe(self._shown, "bold", longest=160)
            yield Static(about)
            yield OptionList(*(f"{n}  {word}" for n, word in enumerate(words, start=1)))
            yield Input(
                known.note if known else "", placeholder="a note (optional)", max_length=500
            )
            yield Static(Text(_HINT, style="dim"))

    def on_mount(self) -> None:
        """Begin at the mark that is offered, else at the one that holds."""
        known, marks = self.opened.marks.get((self._kind, self._about)), MARKS[self._kind]
        options = self.query_one(OptionList)
        first = self._offered or (known.mark if known else None)
        options.highlighted = marks.index(first) if first in marks else 0
        options.focus()

    def on_input_submitted(self) -> None:
        """Go from the note to the marks."""
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Store the mark."""
        self.action_choose(event.option_index + 1)

    def action_choose(self, number: int) -> None:
        """Store the mark of that number, or take the verdict back by the last."""
        marks = MARKS[self._kind]
        if number > len(marks) + 1:
            return
        mark: Mark | None = marks[number - 1] if number <= len(marks) else None
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
