"""What the bench measures: a figure, and how figures are printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

SECONDS, TIMES, MEGABYTES, BYTES, EXPONENT = "s", "x", "MB", "bytes", "exponent"


@dataclass(frozen=True)
class Figure:
    """One measured value; a value in `TIMES` is a ratio."""

    part: str
    what: str
    value: float
    unit: str


def show(console: Console, title: str, figures: Sequence[Figure]) -> None:
    """Print figures as a table."""
    table = Table(box=None, title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:,.4g}", figure.unit)
    console.print()
    console.print(table, highlight=False, markup=False)
