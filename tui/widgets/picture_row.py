"""Pictures side by side, each with a title; or one of them alone, as large as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image as Picture
from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from tui.pictures import show

MOST = 4
# A picture narrower than this shows nothing worth seeing.
_LEAST_WIDTH = 26
_PADDING = 2


@dataclass(frozen=True)
class Frame:
    """A picture and what it is."""

    title: Text
    picture: Picture | None
    detail: str = ""
    """Behind the title, where there is room for both."""


class Frames(Horizontal):
    """Up to four pictures; `turn` shows each of them alone, then all of them again."""

    first: reactive[int] = reactive(0)
    alone: reactive[bool] = reactive(False)

    def __init__(self, picture: type[Widget], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = picture
        self.frames: Sequence[Frame] = ()

    def compose(self) -> ComposeResult:
        """Lay out the places of the pictures."""
        for _ in range(MOST):
            with Vertical(classes="frame"):
                yield Static(classes="frame-title")
                yield self._picture(classes="frame-picture")

    def show(self, frames: Sequence[Frame]) -> None:
        """Show pictures."""
        self.frames = frames[:MOST]
        if self.first >= len(self.frames):
            self.first = 0
        self._place()

    def turn(self) -> None:
        """Show the first picture alone, then the next one, after the last all of them again."""
        if not self.alone:
            self.alone = bool(self.frames)
        elif self.first + 1 < len(self.frames):
            self.first += 1
        else:
            self.together()

    def together(self) -> None:
        """Show all pictures."""
        self.first, self.alone = 0, False

    def watch_alone(self) -> None:
        """Place the pictures again."""
        self._place()

    def watch_first(self) -> None:
        """Place the pictures again."""
        self._place()

    def on_resize(self) -> None:
        """Show as many as fit."""
        self._place()

    def _place(self) -> None:
        n = len(self.frames)
        room = 1 if self.alone else max(1, min(n, self.size.width // _LEAST_WIDTH))
        for place, cell in enumerate(self.query(".frame")):
            cell.display = place < room and n > 0
            if not cell.display:
                continue
            number = (self.first + place) % n
            frame = self.frames[number]
            title = frame.title.copy()
            if room < n and place == 0:
                title = Text.assemble((f"{number + 1}/{n} ", "dim"), title)
            if title.cell_len + cell_len(frame.detail) <= self.size.width // room - _PADDING:
                title.append(frame.detail, style="dim")
            title.no_wrap, title.overflow = True, "ellipsis"
            cell.query_one(".frame-title", Static).update(title)
            show(cell.query_one(".frame-picture"), frame.picture)
