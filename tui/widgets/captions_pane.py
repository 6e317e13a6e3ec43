"""The distinct captions of a class, or those that hold the words searched for.

They are counted by regions, and by correct and misclassified images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from db.records import ClassCaption
from tui.texts import safe
from tui.widgets.record_table import Column, Rows


@dataclass(frozen=True)
class Line:
    """A caption of the class; `spans` are the places of the words that were searched for."""

    caption: ClassCaption
    spans: tuple[tuple[int, int], ...] = ()


class CaptionsPane(Vertical):
    """Captions with their counts; a box searches them by words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find words", id="captions.find", tooltip="Search by words"),
    ]

    @dataclass
    class Searched(Message):
        """Words were typed; empty words mean all captions."""

        words: str

    def __init__(self, *, labelled: bool) -> None:
        super().__init__()
        self._labelled = labelled

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield Input(placeholder="/ words in the captions", id="words")
        columns: list[Column[Line]] = [
            Column("selected", "", 1, _star, rank=2),
            Column("text", "caption", 24, _text, wide=True),
            Column("count", "regions", 7, lambda r, w: Text(str(r.caption.count)), right=True,
                   rank=1),
            Column("right", "correct" if self._labelled else "images", 7,
                   lambda r, w: Text(str(r.caption.right), "green"), right=True),
            Column("wrong", "errors", 6, lambda r, w: Text(str(r.caption.wrong), "red"),
                   right=True),
        ]  # fmt: skip
        if not self._labelled:
            columns.pop()
        yield Rows[Line](
            columns, lambda r: r.caption.caption_id, empty="no such captions", id="captions"
        )

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


def highlighted(text: Text, spans: Sequence[tuple[int, int]]) -> Text:
    """Mark the words of a caption that were found, and return it."""
    for begin, end in spans:
        text.stylize("bold black on yellow", begin, end)
    return text


def _text(line: Line, width: int) -> Text:
    caption = line.caption
    text = safe(caption.text, "bold" if caption.selected else "dim" if caption.is_empty else "")
    if caption.artefact:
        text.append("  describes the picture, not its content", style="yellow italic")
    return highlighted(text, line.spans)


def _star(line: Line, width: int) -> Text:
    return Text("★" if line.caption.selected else "", style="yellow")
