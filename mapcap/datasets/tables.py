"""Small tables from outside: rows of text with their line numbers, class names, boxes."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from mapcap.datasets.records import Box, Found, shown
from mapcap.errors import UserError
from mapcap.text import clean


def rows(path: Path, option: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its line number and stripped cells.

    The first line tells the separator: a tab, or else a semicolon where there is no comma, or
    else a comma. Quotes mean something in the latter two only.

    Raises:
        UserError: for a file that is missing, unreadable, not UTF-8 or not a table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            if "\t" in head:
                reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            else:
                separator = ";" if ";" in head and "," not in head else ","
                reader = csv.reader(file, delimiter=separator)
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield reader.line_num, stripped
    except UnicodeDecodeError as error:
        raise UserError(f"{option}: {shown(path)} is not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise UserError(f"{option}: {shown(path)} cannot be read: {error.strerror}.") from error
    except csv.Error as error:
        raise UserError(f"{option}: {shown(path)} is not a table of text: {error}.") from error


def read_names(path: Path) -> dict[str, str]:
    """Read class names by label: `label<TAB>name`, more columns and a header are allowed.

    A name is kept as it stands, commas and all. A header does no harm: it names a label that no
    class has.

    Raises:
        UserError: for a line without a name, or a label with two names.
    """
    names: dict[str, str] = {}
    for line, cells in rows(path, "--names"):
        if len(cells) < 2 or not cells[0] or not clean(cells[1]).strip():
            raise UserError(
                f"--names: {shown(path)}, line {line}: expected label and name with a tab between."
            )
        label, name = cells[0], clean(cells[1]).strip()
        if names.setdefault(label, name) != name:
            raise UserError(
                f"--names: {shown(path)}, line {line}: {shown(label)} is named again, "
                f"{name!r} after {names[label]!r}. Keep one."
            )
    return names


def box_of(cells: Sequence[str], where: str) -> Box | None:
    """Return the box in four cells, or None if it is empty (x1 <= x0 or y1 <= y0).

    Raises:
        UserError: starting with `where`, unless they are four finite numbers.
    """
    try:
        x0, y0, x1, y1 = (float(cell) for cell in cells)
    except ValueError:
        x0 = y0 = x1 = y1 = math.nan
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise UserError(f"{where}: expected a box x0 y0 x1 y1 in pixels, not {shown(str(cells))}.")
    x0, y0 = max(x0, 0.0), max(y0, 0.0)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_boxes(path: Path, option: str = "--boxes") -> dict[str, Box | None]:
    """Read boxes by file: file, x0, y0, x1, y1, with tabs between; more columns may follow.

    A first line without a number is a header.

    Raises:
        UserError: for a line without five columns or with a second box for a file.
    """
    boxes: dict[str, Box | None] = {}
    for place, (line, cells) in enumerate(rows(path, option)):
        where = f"{option}: {shown(path)}, line {line}"
        if len(cells) < 5 or not cells[0]:
            raise UserError(f"{where}: expected file, x0, y0, x1, y1 with tabs between.")
        if place == 0 and not any(map(_is_number, cells[1:5])):
            continue
        key = cells[0].removeprefix("./")
        if key in boxes:
            raise UserError(f"{where}: a second box for {shown(key)}. Keep one box a file.")
        boxes[key] = box_of(cells[1:5], where)
    return boxes


def match_boxes(
    path: Path, boxes: Mapping[str, Box | None], listed: Iterable[Found]
) -> dict[str, Box | None]:
    """Return the boxes by the images' relative paths.

    A box is looked for under the relative path, then `label/file name`, then the bare file name;
    what is another image's relative path belongs to that one alone.

    Raises:
        UserError: if a short name means several images, or no image has a box at all.
    """
    images = list(listed)
    relatives = {image.relative for image in images}
    matched: dict[str, Box | None] = {}
    owners: dict[str, str] = {}
    for image in images:
        short = (f"{image.label}/{image.path.name}", image.path.name)
        keys = [image.relative, *(key for key in short if key not in relatives)]
        key = next((key for key in keys if key in boxes), None)
        if key is None:
            continue
        owner = owners.setdefault(key, image.relative)
        if owner != image.relative:
            raise UserError(
                f"--boxes: {shown(path)}: {shown(key)} may be {shown(owner)} or "
                f"{shown(image.relative)}. Write the whole path below the source."
            )
        matched[image.relative] = boxes[key]
    if not matched:
        raise UserError(
            f"--boxes: {shown(path)} has no box for any image. It should name them like "
            f"{shown(images[0].relative)}."
        )
    return matched
