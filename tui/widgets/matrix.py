"""A confusion matrix with a marked cell: rows are classes, columns what they are predicted as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.texts import safe

_CELL: Final = 4
# From no image to all of a class's.
_PAPER: Final = (26, 26, 30)
_WRONG: Final = (220, 50, 70)
_RIGHT: Final = (40, 140, 80)


class Matrix(Widget, can_focus=True):
    """Shares of each row's images, shaded; the names stand beside the rows, numbers above."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "Up", show=False, id="matrix.up"),
        Binding("down,j", "move(1, 0)", "Down", show=False, id="matrix.down"),
        Binding("left,h", "move(0, -1)", "Left", show=False, id="matrix.left"),
        Binding("right,l", "move(0, 1)", "Right", show=False, id="matrix.right"),
        Binding("enter", "choose", "Images", id="matrix.choose",
                tooltip="The images of the marked cell"),
    ]  # fmt: skip
    row: reactive[int] = reactive(0)
    column: reactive[int] = reactive(0)

    @dataclass
    class Moved(Message):
        """A cell was marked."""

        row: int
        column: int

    class Chosen(Moved):
        """A cell was opened."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names: Sequence[str] = ()
        self._shares: NDArray[np.float64] = np.zeros((0, 0))

    @property
    def fits(self) -> int:
        """How many classes can stand side by side."""
        return max(1, (self.size.width - self._label) // _CELL)

    @property
    def _label(self) -> int:
        return max(12, min(28, self.size.width // 4))

    def show(self, names: Sequence[str], shares: NDArray[np.float64]) -> None:
        """Show the shares (n, n) of the classes of these names.

        The worst cell is marked, unless the same classes are shown already.
        """
        same, self._names, self._shares = list(names) == list(self._names), names, shares
        off = shares * (1 - np.eye(len(names)))
        if off.size and not same:
            row, column = np.unravel_index(int(off.argmax()), off.shape)
            self.row, self.column = int(row), int(column)
        self._tell()

    def validate_row(self, row: int) -> int:
        """Keep the mark in the matrix."""
        return max(0, min(row, len(self._names) - 1))

    validate_column = validate_row

    def _tell(self) -> None:
        self.refresh()
        if self._names:
            self.post_message(self.Moved(self.row, self.column))

    def action_move(self, down: int, across: int) -> None:
        """Mark another cell."""
        self.row, self.column = self.row + down, self.column + across
        self._tell()

    def action_choose(self) -> None:
        """Open the marked cell."""
        if self._names:
            self.post_message(self.Chosen(self.row, self.column))

    def on_click(self, event: events.Click) -> None:
        """Mark the cell that is clicked; open it on a second click."""
        row, column = event.y - 1 + self._top, (event.x - self._label) // _CELL
        if 0 <= row < len(self._names) and 0 <= column < len(self._names):
            self.row, self.column = row, column
            self._tell()
            if event.chain > 1:
                self.action_choose()

    @property
    def _top(self) -> int:
        """The first row that is shown."""
        lines = max(1, self.size.height - 1)
        return max(0, min(self.row - lines // 2, len(self._names) - lines))

    def render_line(self, y: int) -> Strip:
        """Return the line of numbers, or a class."""
        width, style = self.size.width, self.rich_style
        row, n = y - 1 + self._top, len(self._names)
        if row >= n:
            text = "no errors" if not n and y == 1 else ""
            return Strip([Segment(text, style)]).adjust_cell_length(width, style)
        label = self._label
        if y == 0:
            bold = style + Style(bold=True)
            numbers = [
                Segment(f"{i + 1:>{_CELL}}", bold if i == self.column else style) for i in range(n)
            ]
            head = Segment("predicted as →".ljust(label)[:label], style + Style(dim=True))
            return Strip([head, *numbers]).adjust_cell_length(width, style)
        name = safe(f"{row + 1:>3} {self._names[row]}", longest=80)
        name.truncate(label - 1, overflow="ellipsis", pad=True)
        marked = style + Style(bold=row == self.row)
        cells = [self._cell(row, column) for column in range(n)]
        return Strip([Segment(name.plain + " ", marked), *cells]).adjust_cell_length(width, style)

    def _cell(self, row: int, column: int) -> Segment:
        share = float(self._shares[row, column])
        # Small shares are to be seen, too.
        level = min(1.0, max(0.0, share)) ** 0.5
        full = _RIGHT if row == column else _WRONG
        paper = [round(a + (b - a) * level) for a, b in zip(_PAPER, full, strict=True)]
        ink = Color.from_rgb(255, 255, 255)
        style = Style(color=ink, bgcolor=Color.from_rgb(*paper))
        if (row, column) == (self.row, self.column):
            style += Style(bold=True, reverse=True)
        number = f"{100 * share:.0f}" if share > 0 else "·" if row != column else "0"
        return Segment(f"{number:>{_CELL - 1}} ", style)
