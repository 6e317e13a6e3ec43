"""Single cells of predictions: numbers, names, and lists as tools write them into one cell."""

import json
import re
from typing import Any

from mapcap.datasets.cells import text_of
from mapcap.errors import UserError

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def name(cell: Any, where: str) -> str:
    """Return the name or number of a class as text; UserError where there is none."""
    text = text_of(cell)
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
    quoted = [double or single for double, single in _QUOTED.findall(inner)]
    return quoted or inner.replace(",", " ").split()
