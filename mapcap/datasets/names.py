"""Tables of class names by label."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from mapcap.datasets.cells import text_of
from mapcap.datasets.columns import LABEL, NAME, pick
from mapcap.datasets.records import composed, shown
from mapcap.datasets.tables import Table, open_table
from mapcap.errors import UserError
from mapcap.text import clean

_WORDNET: Final = re.compile(r"(n\d{8}) (.+)")
"""A line of ImageNet's own list: an id, a blank, synonyms with commas between."""


def read_names(path: Path) -> dict[str, str]:
    """Read class names by label: `label<TAB>name`, or columns that are called so.

    A name is kept as it stands, commas and all. A header does no harm: it names a label that no
    class has.

    Raises:
        UserError: for a line without a name, or a label with two names.
    """
    table = open_table(path, "--names")
    names: dict[str, str] = {}
    for place, first, second in _pairs(table):
        label, name = composed(text_of(first)), clean(text_of(second)).strip()
        if not label or not name:
            raise UserError(f"{table.where(place)}: expected label and name with a tab between.")
        if names.setdefault(label, name) != name:
            raise UserError(
                f"{table.where(place)}: {shown(label)} is named again, {name!r} after "
                f"{names[label]!r}. Keep one."
            )
    return names


def _pairs(table: Table) -> Iterator[tuple[str, Any, Any]]:
    """Yield label and name of each row: by the header where it has both, else the first two."""
    picked = pick(table, {"label": LABEL, "name": NAME})
    if len(set(picked.values())) == 2:
        for place, cells in table.lines():
            columns = [table.header.index(picked[what]) for what in ("label", "name")]
            if cells == table.header:
                continue
            if max(columns) >= len(cells):
                cells = [*cells, *[""] * (max(columns) + 1 - len(cells))]
            yield place, cells[columns[0]], cells[columns[1]]
        return
    for place, cells in table.lines():
        wordnet = _WORDNET.fullmatch(str(cells[0])) if cells else None
        if wordnet is not None:
            yield place, wordnet[1], ", ".join([wordnet[2], *map(str, cells[1:])])
        else:
            first, second, *_ = [*cells, "", ""]
            yield place, first, second
