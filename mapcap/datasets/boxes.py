"""Boxes from outside: a table of them, and whose they are."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mapcap.datasets.box_numbers import Boxes, BoxForm, Quad, box_columns, quad_of, settle
from mapcap.datasets.cells import is_number, text_of
from mapcap.datasets.columns import PATH, pick
from mapcap.datasets.records import Box, Found, composed, shown
from mapcap.datasets.tables import Table, open_table
from mapcap.errors import UserError


def read_boxes(path: Path, form: BoxForm, option: str = "--boxes") -> Boxes:
    """Read boxes by file: file and four numbers, or columns that are called so.

    A first line without a number is a header.

    Raises:
        UserError: for a line without five columns or with a second box for a file.
    """
    table = open_table(path, option)
    quads: dict[str, tuple[Quad | None, str]] = {}
    named, rows = _named_rows(table)
    for place, name, cells in rows:
        where = table.where(place)
        key = key_of(text_of(name))
        if not key:
            raise UserError(f"{where}: no name of a file.")
        if key in quads:
            raise UserError(f"{where}: a second box for {shown(key)}. Keep one box a file.")
        quads[key] = quad_of(cells, where), place
    boxes = settle(quads, table.where(), form, named)
    return Boxes(boxes.table, boxes.shares, [*table.notes, *boxes.notes])


def _named_rows(table: Table) -> tuple[str | None, Iterator[tuple[str, Any, Sequence[Any]]]]:
    """Return how boxes are meant by their columns' names, and each row: place, file, cells."""
    file = pick(table, {"file": PATH}).get("file")
    columns = None if file is None else box_columns(table)
    if file is not None and columns is not None:
        form, numbers = columns
        by_name = (
            (place, record[file], [record[column] for column in numbers])
            for place, record in table.records([file, *numbers])
        )
        return form, by_name
    return None, _positional(table)


def _positional(table: Table) -> Iterator[tuple[str, Any, Sequence[Any]]]:
    for at, (place, cells) in enumerate(table.lines()):
        if len(cells) < 5 or not cells[0]:
            raise UserError(
                f"{table.where(place)}: expected file, x0, y0, x1, y1 with tabs between."
            )
        if at == 0 and not any(map(is_number, cells[1:5])):
            continue
        yield place, cells[0], cells[1:5]


def key_of(text: str) -> str:
    """Return the name of a file as tables may write it: slashes, one Unicode form, no `./`."""
    return composed(text.replace("\\", "/").removeprefix("./"))


def match_boxes(path: Path, boxes: Boxes, listed: Iterable[Found]) -> dict[str, Box | None]:
    """Return the boxes by the images' relative paths.

    A box is looked for under the relative path, then `label/file name`, then the bare file name;
    what is another image's relative path belongs to that one alone.

    Raises:
        UserError: if a short name means several images, or no image has a box at all.
    """
    images = list(listed)
    relatives = {key_of(image.relative) for image in images}
    matched: dict[str, Box | None] = {}
    owners: dict[str, str] = {}
    for image in images:
        whole_key = key_of(image.relative)
        short = (key_of(f"{image.label}/{image.path.name}"), key_of(image.path.name))
        keys = [whole_key, *(key for key in short if key not in relatives)]
        key = next((key for key in keys if key in boxes.table), None)
        if key is None:
            continue
        owner = owners.setdefault(key, image.relative)
        if owner != image.relative:
            raise UserError(
                f"--boxes: {shown(path)}: {shown(key)} may be {shown(owner)} or "
                f"{shown(image.relative)}. Write the whole path below the source."
            )
        matched[image.relative] = boxes.table[key]
    if not matched:
        raise UserError(
            f"--boxes: {shown(path)} has no box for any image. It should name them like "
            f"{shown(images[0].relative)}."
        )
    return matched
