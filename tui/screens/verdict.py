"""The verdict on an image, a class or a finding, in a small window over it."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, OptionList, Static

from db import queries
from db.records import ClassName
from db.verdicts import MARKS, Kind, Mark, Verdict
from mapcap.text import clean
from tui.opened import Marks, Opened
from tui.screens.base import BrowseScreen
from tui.texts import safe

_HINT = "a digit or enter saves, tab goes to the note and on, esc changes nothing"
NO_CLASS = "none of them"
"""What is typed where a picture shows none of the classes."""


class VerdictScreen(BrowseScreen, ModalScreen[None]):
    """Choose a mark for one thing, with a note if need be."""

    HELP_TEXT = (
        "A verdict is kept in a file of its own, NAME.verdicts.sqlite beside the store or where "
        "--verdicts says. Write a note first if there is something to say, then choose the mark. "
        "Of a wrong label, type the right class or none of them; the right arrow completes it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="verdict.back", tooltip="Change nothing"),
        Binding("tab", "app.focus_next", "Note", id="verdict.note", tooltip="To the note and on"),
        *(
            Binding(str(n), f"choose({n})", "Mark", show=False, id=f"verdict.{n}")
            for n in range(1, 10)
        ),
    ]

    def __init__(
        self,
        opened: Opened,
        kind: Kind,
        names: Sequence[str],
        shown: str,
        offered: Mark | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__(opened)
        self._kind = kind
        self._names = names
        self._shown = shown
        self._offered = offered
        self._title = title
        self._labels: dict[str, str] = {}
        """Labels by the names they may be typed as, in lower case."""

    @property
    def _current(self) -> Verdict | None:
        """The verdict that holds, where there is one thing to judge."""
        if len(self._names) != 1:
            return None
        (name,), marks = self._names, self.opened.marks
        return marks.get((self._kind, name)) or (
            marks.get((self._kind, self._title)) if self._title else None
        )

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        current = self._current
        words = [*MARKS[self._kind], "take the verdict back"]
        with Vertical(id="verdict"):
            about = Text(f"Verdict on the {self._kind} ") + safe(self._shown, "bold", longest=160)
            yield Static(about)
            yield OptionList(*(f"{n}  {word}" for n, word in enumerate(words, start=1)))
            yield Input(
                current.note if current else "",
                placeholder="a note (optional)",
                max_length=500,
                id="note",
            )
            if self._kind == "image":
                yield Input(
                    placeholder=f"if the label is wrong: the right class, or {NO_CLASS}", id="right"
                )
            yield Static(Text(_HINT, style="dim"))

    def on_mount(self) -> None:
        """Begin at the mark that is offered, else at the one that holds."""
        current, marks = self._current, MARKS[self._kind]
        options = self.query_one(OptionList)
        first = self._offered or (current.mark if current else None)
        options.highlighted = marks.index(first) if first in marks else 0
        options.focus()
        if self._kind == "image":
            engine, run_id = self.opened.engine, self.opened.run.id
            self.ask("classes", lambda: queries.classes(engine, run_id), self._complete)

    def _complete(self, classes: Sequence[ClassName]) -> None:
        """Complete what is typed to the names of the classes."""
        for record in classes:
            self._labels[record.label.casefold()] = record.label
            self._labels[record.name.casefold()] = record.label
        box = self.query_one("#right", Input)
        names = [*(clean(record.name) for record in classes), NO_CLASS]
        box.suggester = SuggestFromList(names, case_sensitive=False)
        current = self._current
        if current is not None and current.right_label is not None:
            box.value = clean(current.right_label) or NO_CLASS

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
        note = self.query_one("#note", Input).value
        right = None
        if mark == "label wrong" and self._kind == "image":
            typed = self.query_one("#right", Input).value.strip()
            right = "" if typed == NO_CLASS else self._labels.get(typed.casefold())
            if typed and right is None:
                self.notify(
                    f"no class is called {typed}: type one of the run, or {NO_CLASS}",
                    severity="warning",
                    markup=False,
                )
                return
        self.ask(
            "write",
            lambda: self.opened.mark(self._kind, self._names, mark, note, right, self._title),
            self._confirm,
        )

    def _confirm(self, marks: Marks) -> None:
        self.opened.marks = marks
        self.notify(f"kept in {self.opened.verdicts.name}", timeout=3, markup=False)
        self.dismiss()
