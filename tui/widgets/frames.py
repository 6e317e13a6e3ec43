"""Pictures side by side, each with a title; one at a time where it is narrow."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image as Picture
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


@dataclass(frozen=True)
class Frame:
    """A picture and what it is."""

    title: Text
    picture: Picture | None


class Frames(Horizontal):
    """Up to four pictures; those for which there is no room come with `turn`."""

    first: reactive[int] = reactive(0)

    def __init__(self, picture: type[Widget], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._picture = picture
        self._frames: Sequence[Frame] = ()

    def compose(self) -> ComposeResult:
        """Lay out the places of the pictures."""
        for _ in range(MOST):
            with Vertical(classes="frame"):
                yield Static(classes="frame-title")
                yield self._picture(classes="frame-picture")

    def show(self, frames: Sequence[Frame]) -> None:
        """Show pictures."""
        self._frames = frames[:MOST]
        if self.first >= len(self._frames):
            self.first = 0
        self._place()

    def turn(self) -> None:
        """Begin with the next picture."""
        if self._frames:
            self.first = (self.first + 1) % len(self._frames)

    def watch_first(self) -> None:
        """Place the pictures anew."""
        self._place()

    def on_resize(self) -> None:
        """Show as many as fit."""
        self._place()

    def _place(self) -> None:
        n = len(self._frames)
        room = max(1, min(n, self.size.width // _LEAST_WIDTH))
        for place, cell in enumerate(self.query(".frame")):
            cell.display = place < room and n > 0
            if not cell.display:
                continue
            number = (self.first + place) % n
            frame = self._frames[number]
            title = frame.title.copy()
            title.no_wrap, title.overflow = True, "ellipsis"
            if room < n and place == 0:
                title = Text.assemble((f"{number + 1}/{n} ", "dim"), title)
            cell.query_one(".frame-title", Static).update(title)
            show(cell.query_one(".frame-picture"), frame.picture)
