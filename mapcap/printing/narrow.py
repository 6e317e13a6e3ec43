"""A table that a narrow terminal shows with fewer columns, instead of with numbers cut short."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

_GAP = 2
"""Columns of the terminal between two of the table, at most."""


class NarrowTable(Table):
    """A borderless table that goes without its least columns where not all of them fit.

    `least` names columns, the least first; those that it does not name always stay. A column that
    may wrap needs its `min_width`, and so do those that may be `cut`; any other needs the width of
    its longest cell.
    """

    def __init__(self, *, least: Sequence[str] = (), cut: Sequence[str] = ()) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold")
        self.least, self.cut = tuple(least), frozenset(cut)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the columns for which there is room."""
        kept, least = list(self.columns), list(self.least)
        while least and sum(map(self._width, kept)) + _GAP * (len(kept) - 1) > options.max_width:
            dropped = least.pop(0)
            kept = [column for column in kept if str(column.header) != dropped]
        shown = copy(self)
        # A column knows its own place; what Rich takes from the wide ones leaves this much.
        shown.columns = [
            replace(column, _index=place, min_width=self._width(column))
            for place, column in enumerate(kept)
        ]
        yield from Table.__rich_console__(shown, console, options)

    def _width(self, column: Column) -> int:
        """Return the columns of the terminal below which a column is not worth showing."""
        header = Text(str(column.header)).cell_len
        if not column.no_wrap or column.header in self.cut:
            return max(column.min_width or 1, header if column.no_wrap else 1)
        cells = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in column.cells]
        longest = max((cell.cell_len for cell in cells), default=0)
        return max(column.min_width or 1, header, longest)
