"""A scatter plot of braille dots, eight to a cell, with one point that can be marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from mapcap.text import clean

# The bits of a braille character by row and column of its dots.
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE: Final = 0x2800
_DOWN, _ACROSS = len(_BITS), 2
_FEW: Final = 300
_POINT: Final = Style(color="cyan")
_MARKED: Final = Style(color="black", bgcolor="yellow", bold=True)
_AXIS: Final = Style(dim=True)


def _drawable(value: float) -> bool:
    """Return whether a value has a place between others: the span of two must be finite too."""
    return math.isfinite(2 * value)


@dataclass(frozen=True)
class Point:
    """A point and what it stands for."""

    name: str
    x: float
    y: float


class Scatter(Widget):
    """Points between axes that end at the least and largest values; x runs from 0 to 1."""

    marked: reactive[int | None] = reactive(None)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.points: Sequence[Point] = ()
        self._labels = ("", "")
        self._lines: list[Strip] | None = None

    @property
    def point(self) -> Point | None:
        """The marked point."""
        return None if self.marked is None else self.points[self.marked]

    def show(self, points: Sequence[Point], x_label: str, y_label: str) -> None:
        """Show points; the mark stays on the point of the same name."""
        before = self.point
        finite = [p for p in points if _drawable(p.x) and _drawable(p.y)]
        self.points = sorted(finite, key=lambda point: (point.x, point.y))
        self._labels = (clean(x_label), clean(y_label))
        names = [point.name for point in self.points]
        present = before is not None and before.name in names
        self.set_reactive(Scatter.marked, names.index(before.name) if before and present else None)
        self._lines = None
        self.refresh()

    def move(self, step: int) -> None:
        """Mark the next point by x, or the one before."""
        if self.points:
            first = 0 if step > 0 else len(self.points) - 1
            self.marked = first if self.marked is None else (self.marked + step) % len(self.points)

    def watch_marked(self) -> None:
        """Draw again."""
        self._lines = None
        self.refresh()

    def on_resize(self) -> None:
        """Draw again."""
        self._lines = None

    def render_line(self, y: int) -> Strip:
        """Return one line of the plot."""
        if self._lines is None:
            self._lines = self._draw()
        blank = Strip.blank(self.size.width, self.rich_style)
        return self._lines[y] if y < len(self._lines) else blank

    def _draw(self) -> list[Strip]:
        width, height = self.size.width, self.size.height
        if not self.points:
            return [self._strip([("no class has this metric", _AXIS)])]
        low, high = (end(point.y for point in self.points) for end in (min, max))
        ends = (f"{high:.3g}", f"{low:.3g}")
        margin = max(map(len, ends)) + 1
        columns, rows = width - margin - 1, height - 3
        if columns < _ACROSS or rows < 1:
            return []
        cells = self._cells(columns, rows, low, high)
        lines = [self._strip([(f"{self._labels[1]:.{width}}", Style(bold=True))])]
        for row in range(rows):
            end = ends[0] if row == 0 else ends[1] if row == rows - 1 else ""
            drawn = [(f"{end:>{margin - 1}} │", _AXIS)]
            drawn += [cells.get((row, column), (" ", _AXIS)) for column in range(columns)]
            lines.append(self._strip(drawn))
        lines.append(self._strip([(" " * margin + "└" + "─" * columns, _AXIS)]))
        middle = f"{self._labels[0]:^{max(0, columns - 2)}.{max(0, columns - 2)}}"
        lines.append(self._strip([(" " * (margin + 1) + "0" + middle + "1", _AXIS)]))
        return lines

    def _cells(
        self, columns: int, rows: int, low: float, high: float
    ) -> dict[tuple[int, int], tuple[str, Style]]:
        """Return the characters that hold points, by row and column."""
        bits: dict[tuple[int, int], int] = {}
        # One dot is hard to see where there are few.
        size = 2 if len(self.points) <= _FEW else 1
        marked = None
        for place, point in enumerate(self.points):
            left = _dot(point.x, columns * _ACROSS - size + 1)
            share = (point.y - low) / (high - low) if high > low else 0.5
            top = rows * _DOWN - size - _dot(share, rows * _DOWN - size + 1)
            for down, across in product(range(top, top + size), range(left, left + size)):
                cell = (down // _DOWN, across // _ACROSS)
                bits[cell] = bits.get(cell, 0) | _BITS[down % _DOWN][across % _ACROSS]
            if place == self.marked:
                marked = (top // _DOWN, left // _ACROSS)
        return {
            cell: (
                "●" if cell == marked else chr(_BRAILLE + bit),
                _MARKED if cell == marked else _POINT,
            )
            for cell, bit in bits.items()
        }

    def _strip(self, parts: Sequence[tuple[str, Style]]) -> Strip:
        base = self.rich_style
        segments = [Segment(text, base + style) for text, style in parts]
        return Strip(segments).adjust_cell_length(self.size.width, base)


def _dot(share: float, dots: int) -> int:
    return round(min(1.0, max(0.0, share)) * (dots - 1))
