"""Columns of tables by what they are called, in whatever case and spelling."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from mapcap.datasets.records import shown
from mapcap.datasets.tables import Table
from mapcap.errors import UserError

PATH: Final = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path",
    "image_file", "img", "img_path", "image_id", "id", "id_code",
)  # fmt: skip
"""What the column of photos is called; the first of them that a table has."""
CLASS: Final = ("class", "label", "class_name", "category", "target", "y")
LABEL: Final = ("label", "folder", "wnid", "synset", "class", "class_id", "id", "key")
NAME: Final = ("name", "class_name", "names", "text", "description", "title")

_BETWEEN: Final = re.compile(r"[\s\-./]+")


def folded(column: str) -> str:
    """Return a column's name without case, width, blanks, hyphens and dots: `Class Name`."""
    text = unicodedata.normalize("NFKC", column).strip().lstrip("\ufeff").strip().casefold()
    return _BETWEEN.sub("_", text).strip("_")


def pick(table: Table, wanted: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the table's columns by what they are for; what no column is called is left out.

    `wanted` names what a column may be called, the best first.

    Raises:
        UserError: if two columns are called the same.
    """
    by_name: dict[str, list[str]] = {}
    for column in table.header:
        by_name.setdefault(folded(column), []).append(column)
    picked: dict[str, str] = {}
    for what, names in wanted.items():
        columns = next((by_name[name] for name in names if name in by_name), None)
        if columns is None:
            continue
        if len(columns) > 1:
            raise UserError(
                f"{table.where('line 1' if table.first else '')}: the columns "
                f"{' and '.join(repr(shown(column)) for column in columns)} are both {what}. "
                "Keep one."
            )
        picked[what] = columns[0]
    return picked
