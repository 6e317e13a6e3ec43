"""What the tables of all pages are made of: cleaned text, numbers, bars, columns that give way."""

from collections.abc import Sequence

from rich.text import Text

from mapcap.printing.narrow import NarrowTable
from mapcap.text import clean

_BAR = 5
_LARGEST = 1e300


def safe(text: str | None) -> Text:
    """Return text from outside as it may be shown: no control characters, no markup."""
    return Text(clean(text or ""))


def data_table(
    *columns: str,
    right: Sequence[str] = (),
    short: Sequence[str] = (),
    least: Sequence[str] = (),
) -> NarrowTable:
    """Return an empty table: numbers stand right and whole, `short` columns are cut to one line.

    A narrow terminal goes without the `least` columns, the first of them first.
    """
    table = NarrowTable(least=least, cut=short)
    for column in columns:
        if column in right:
            # Rich shrinks wide tables column by column, and a number cut short is a wrong number.
            table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
        elif column in short:
            table.add_column(column, no_wrap=True, overflow="ellipsis", min_width=10)
        else:
            table.add_column(column, overflow="fold", min_width=8)
    return table


def figure(value: object, digits: int = 2) -> str:
    """Return a number as shown in tables, or a dash where there is none.

    What stands in JSON may be of any type and size.
    """
    shown = isinstance(value, int | float) and abs(value) < _LARGEST
    return f"{value:.{digits}f}" if shown else "-"


def bar(share: float | None) -> Text:
    """Return a bar for a share of one; its colour says how bad a low one is."""
    filled = round(min(max(share or 0, 0), 1) * _BAR)
    style = "red" if (share or 0) < 1 / 3 else "yellow" if (share or 0) < 2 / 3 else "green"
    return Text.assemble(("█" * filled, style), ("·" * (_BAR - filled), "dim"))
