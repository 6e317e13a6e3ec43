"""Verdicts as a terminal shows them."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from db.verdicts import Verdict
from mapcap.printing.narrow import NarrowTable
from mapcap.printing.tables import safe


def verdicts_page(verdicts: Sequence[Verdict]) -> RenderableType:
    """Return verdicts as a table, or how to make some."""
    if not verdicts:
        return Text("no verdicts yet: press v in `mapcap browse`", "dim")
    table = NarrowTable(least=("about", "note"))
    for column in ("about", "name", "verdict", "right class", "note"):
        table.add_column(column, overflow="fold", min_width=8)
    for verdict in verdicts:
        right = "none of them" if verdict.right_label == "" else verdict.right_label or ""
        cells = (verdict.kind, verdict.shown, verdict.mark, right, verdict.note)
        table.add_row(*map(safe, cells))
    return table
