"""The words that tell a class's errors from correct images, with what was tested."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from db.records import ErrorWord
from mapcap.stats import SIGNIFICANT
from tui.texts import number, safe, share
from tui.widgets.record_table import Column, Rows

Rival = tuple[int, str]
"""A class whose correct images the errors were compared with, by id and name."""


class ErrorWords(Vertical):
    """A table of words; `a` changes what the misclassified images are compared with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "against", "Against", id="words.against",
                tooltip="Errors against the correct images of the next class"),
    ]  # fmt: skip

    class Wanted(Message):
        """The words against `against` are wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.against: Rival | None = None
        self._rivals: Sequence[Rival] = ()

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        yield Static(id="words-head")
        columns: list[Column[ErrorWord]] = [
            Column("word", "word", 10, _word, wide=True),
            Column("wrong", "errors", 6, lambda r, w: Text(str(r.wrong), "red"), right=True),
            Column("right", "correct", 7, lambda r, w: Text(str(r.correct), "green"), right=True),
            Column("accuracy", "with it", 7, _accuracy, right=True),
            Column("z", "z", 5, lambda r, w: number(r.z, 1), right=True, rank=2),
            Column("q", "q", 6, lambda r, w: number(r.q, 3), right=True, rank=1),
            Column("b2t", "B2T", 6, lambda r, w: number(r.b2t, 3), right=True, rank=3),
            Column("interval", "95 %", 16, _interval, right=True, rank=4),
        ]
        yield Rows[ErrorWord](columns, lambda r: r.word, empty="no words", id="error-words")

    def show(self, words: Sequence[ErrorWord], rivals: Sequence[Rival], *, keep: bool) -> None:
        """Show the words tested against `against`."""
        self._rivals = rivals
        head = Text.assemble(("errors against the correct ones of ", "dim"))
        name = "the class" if self.against is None else self.against[1]
        head.append_text(safe(name, "bold", longest=60))
        sure = sum(word.q <= SIGNIFICANT for word in words)
        head.append(f"   {sure} of {len(words)} significant (q ≤ {SIGNIFICANT})", style="dim")
        self.query_one("#words-head", Static).update(head)
        self.query_one(Rows).fill(words, keep=keep)

    def action_against(self) -> None:
        """Ask for the words against the correct images of the next class."""
        choices = [None, *self._rivals]
        place = choices.index(self.against) + 1 if self.against in choices else 0
        self.against = choices[place % len(choices)]
        self.post_message(self.Wanted())


def _word(word: ErrorWord, width: int) -> Text:
    sure = word.q <= SIGNIFICANT
    style = ("bold red" if word.z > 0 else "bold green") if sure else ""
    return safe(word.word, style, longest=80)


def _accuracy(word: ErrorWord, width: int) -> Text:
    return Text(share(word.correct / word.images if word.images else None))


def _interval(word: ErrorWord, width: int) -> Text:
    if word.b2t_low is None or word.b2t_high is None:
        return Text("-", style="dim")
    return Text(f"{word.b2t_low:+.3f} to {word.b2t_high:+.3f}", style="dim")
