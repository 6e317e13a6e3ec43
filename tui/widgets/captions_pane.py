"""The distinct captions of a class, or those that hold the words searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from db.records import CaptionHit, ClassCaption
from tui.show import safe
from tui.widgets.rows import Column, Rows

Line = ClassCaption | CaptionHit


class CaptionsPane(Vertical):
    """Captions with their counts; a box searches them by words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find words", id="captions.find", tooltip="Search by words"),
    ]

    @dataclass
    class Searched(Message):
        """Words were typed; empty words mean all captions."""

        words: str

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Input(placeholder="/ words in the captions", id="words")
        columns: list[Column[Line]] = [
            Column("selected", "", 1, _star),
            Column("text", "caption", 12, _text, wide=True),
            Column("count", "times", 6, lambda r, w: Text(str(r.count)), right=True),
            Column("right", "right", 6, lambda r, w: _of(r, "right"), right=True),
            Column("wrong", "wrong", 6, lambda r, w: _of(r, "wrong"), right=True),
        ]
        yield Rows[Line](columns, lambda r: r.caption_id, empty="no such captions", id="captions")

    def action_find(self) -> None:
        """Begin to type words."""
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        self.post_message(self.Searched(event.value.strip()))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to what was found."""
        event.stop()
        self.query_one(Rows).focus()

    def show(self, lines: Sequence[Line], *, keep: bool) -> None:
        """Show captions from the first."""
        self.query_one(Rows).fill(lines, keep=keep)


def highlighted(hit: CaptionHit) -> Text:
    """Return a caption with the words that were found marked."""
    text = safe(hit.text)
    for begin, end in hit.spans:
        text.stylize("bold black on yellow", begin, end)
    return text


def _text(line: Line, width: int) -> Text:
    if isinstance(line, CaptionHit):
        return highlighted(line)
    text = safe(line.text, "bold" if line.selected else "dim" if line.is_empty else "")
    if line.artefact:
        text.append("  speaks of the rendering", style="yellow italic")
    return text


def _star(line: Line, width: int) -> Text:
    selected = isinstance(line, ClassCaption) and line.selected
    return Text("★" if selected else "", style="yellow")


def _of(line: Line, side: str) -> Text:
    if isinstance(line, CaptionHit):
        return Text("")
    style = "green" if side == "right" else "red"
    return Text(str(getattr(line, side)), style=style)
