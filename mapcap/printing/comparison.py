"""The page of one class in two runs: the errors that one of them alone makes, side by side."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from db.records import Run
from mapcap.printing.tables import safe
from mapcap.runs.comparison import Apart, Side
from mapcap.runs.source import predicted_by
from mapcap.text import counted

_MOST = 10


def apart_page(apart: Apart, run: Run, other: Run) -> RenderableType:
    """Return what each of two runs alone gets wrong, and its findings, in two columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 4, 0, 0))
    for each, side in ((other, apart.before), (run, apart.now)):
        head = Text(f"run {each.id} alone: {counted(len(side.errors), 'error')}", style="bold")
        table.add_column(head + Text(" ") + safe(f"({predicted_by(each)})"), ratio=1)
    table.add_row(
        _errors(apart.before, [each.before_name for each in apart.before.errors]),
        _errors(apart.now, [each.now_name for each in apart.now.errors]),
    )
    table.add_row(_findings(apart.before), _findings(apart.now))
    return table


def _errors(side: Side, predicted: Sequence[str]) -> RenderableType:
    pairs = list(zip(side.errors, predicted, strict=True))
    lines = [safe(f"{error.path} → {name}") for error, name in pairs[:_MOST]]
    if len(pairs) > _MOST:
        lines.append(Text(f"and {len(pairs) - _MOST:,} more", style="dim"))
    return Group(*lines, Text())


def _findings(side: Side) -> RenderableType:
    if not side.findings:
        return Text("no finding", style="dim")
    return Group(
        *(
            safe(f"{finding.position + 1}. {finding.plain}  {finding.title}")
            for finding in side.findings
        )
    )
