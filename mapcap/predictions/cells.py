"""Single cells of predictions: numbers, names, and lists as tools write them into one cell."""

import json
import math
import re
from typing import Any

from mapcap.datasets.records import shown
from mapcap.errors import UserError

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def number(cell: Any, where: str) -> float:
    """Return a finite number; UserError starting with `where` for anything else."""
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{where}: expected a finite number, not {shown(str(cell))[:60]!r}.")
    return value


def name(cell: Any, where: str) -> str:
    """Return the name or number of a class as text; UserError where there is none."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell).strip()
    if not text:
        raise UserError(f"{where}: the prediction must not be empty.")
    return text


def listed(cell: Any) -> list[Any]:
    """Return what a cell holds as a list: a list, `[1, 2]` or numpy's `[1 2]` as text, or one."""
    if isinstance(cell, list | tuple):
        return list(cell)
    if not isinstance(cell, str) or not (cell.startswith("[") and cell.endswith("]")):
        return [cell]
    try:
        return list(json.loads(cell))
    except (ValueError, TypeError):
        inner = cell[1:-1]
    quoted = [one or other for one, other in _QUOTED.findall(inner)]
    return quoted or inner.replace(",", " ").split()
