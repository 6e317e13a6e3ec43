"""What the four numbers of a box from outside mean: corners or sizes, pixels or shares."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mapcap.config import BOX_FORMATS, BOX_UNITS
from mapcap.datasets.cells import is_missing, number
from mapcap.datasets.columns import pick
from mapcap.datasets.records import Box, shown
from mapcap.datasets.tables import Table
from mapcap.errors import UserError
from mapcap.text import counted

_COLUMNS: Final = (
    ("xyxy", ("x0", "y0", "x1", "y1")),
    ("xyxy", ("xmin", "ymin", "xmax", "ymax")),
    ("xyxy", ("x_min", "y_min", "x_max", "y_max")),
    ("xyxy", ("left", "top", "right", "bottom")),
    ("xyxy", ("x1", "y1", "x2", "y2")),
    ("cxcywh", ("cx", "cy", "w", "h")),
    ("cxcywh", ("xc", "yc", "w", "h")),
    ("cxcywh", ("x_center", "y_center", "width", "height")),
    ("cxcywh", ("x_centre", "y_centre", "width", "height")),
    ("xywh", ("x", "y", "w", "h")),
    ("xywh", ("x", "y", "width", "height")),
    ("xywh", ("left", "top", "width", "height")),
    ("xywh", ("xmin", "ymin", "width", "height")),
    ("xywh", ("x_min", "y_min", "width", "height")),
    ("xywh", ("x0", "y0", "width", "height")),
    ("xywh", ("x0", "y0", "w", "h")),
    ("xywh", ("bbox_x", "bbox_y", "bbox_w", "bbox_h")),
)
_ANY: Final = frozenset({"x0", "y0", "x1", "y1"})
"""A table with some of these columns means to have boxes."""
_WORDS: Final = {
    "xyxy": "two corners",
    "xywh": "a corner, width and height",
    "cxcywh": "the centre, width and height",
}
_TELLING: Final = 0.1
"""Share of boxes that cannot be two corners, from which on none are meant so: fewer are slips."""

Quad = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxForm:
    """What a person said of the numbers of boxes; None where the numbers are to tell."""

    format: str | None = None
    units: str | None = None


def box_form(box_format: str | None, box_units: str | None) -> BoxForm:
    """Return what a person said of the numbers of boxes.

    Raises:
        UserError: naming the option of a word that is not known.
    """
    if box_format is not None and box_format not in BOX_FORMATS:
        raise UserError(f"--box-format: the value is one of {', '.join(BOX_FORMATS)}.")
    if box_units is not None and box_units not in BOX_UNITS:
        raise UserError(f"--box-units: the value is one of {', '.join(BOX_UNITS)}.")
    return BoxForm(box_format, box_units)


@dataclass(frozen=True)
class Boxes:
    """Boxes by the name of their photo; in shares of its sides where `shares` says so."""

    table: Mapping[str, Box | None]
    shares: bool
    notes: Sequence[str]


def box_columns(table: Table) -> tuple[str, list[str]] | None:
    """Return how the table's columns of boxes are meant and which they are; None without any.

    Raises:
        UserError: if some of x0, y0, x1, y1 are there and others not.
    """
    names = {name: (name,) for _, columns in _COLUMNS for name in columns}
    picked = pick(table, names)
    for form, columns in _COLUMNS:
        if all(name in picked for name in columns):
            return form, [picked[name] for name in columns]
    if _ANY & picked.keys():
        missing = ", ".join(sorted(_ANY - picked.keys(), key=lambda name: (name[1], name[0])))
        raise UserError(
            f"{table.where('line 1' if table.first else '')}: no column {missing}; it has "
            f"{shown(', '.join(table.header))[:200]}. Expected x0,y0,x1,y1."
        )
    return None


def quad_of(cells: Sequence[Any], where: str) -> Quad | None:
    """Return four numbers, None where all are missing.

    Raises:
        UserError: starting with `where`, unless they are four finite numbers.
    """
    if all(map(is_missing, cells)):
        return None
    try:
        x0, y0, x1, y1 = (number(cell, where) for cell in cells)
    except (UserError, ValueError) as error:
        why = str(error).removeprefix(f"{where}: ") if isinstance(error, UserError) else ""
        raise UserError(
            f"{where}: expected a box of four numbers, not {shown(str(list(cells)))[:100]}. {why}"
        ) from error
    return x0, y0, x1, y1


def box_of(cells: Sequence[Any], where: str) -> Box | None:
    """Return the box of two corners in four cells, or None if it is empty (x1 <= x0 or y1 <= y0).

    Raises:
        UserError: starting with `where`, unless they are four finite numbers.
    """
    quad = quad_of(cells, where)
    return None if quad is None else _box(quad, "xyxy")


def settle(
    quads: Mapping[str, tuple[Quad | None, str]], where: str, form: BoxForm, named: str | None
) -> Boxes:
    """Tell what the numbers of boxes mean, and return them as corners.

    `quads` are the numbers by photo, each with its place; `named` is what the columns' names say.
    What a person said goes before the names, and these before the numbers.

    Raises:
        UserError: naming the option that tells, where the numbers can be meant in two ways.
    """
    given = [(quad, place) for quad, place in quads.values() if quad is not None]
    notes: list[str] = []
    kind = form.format or named
    if kind is None:
        kind = _told_format(given, where)
        if kind != "xyxy":
            notes.append(f"boxes are read as {_WORDS[kind]}: --box-format says otherwise")
    elif form.format is None and kind != "xyxy":
        notes.append(f"boxes are {_WORDS[kind]}, as the columns are called")
    shares = form.units == "shares" or (form.units is None and _are_shares(given, where))
    if shares and form.units is None:
        notes.append("boxes are read as shares of the photo's sides: --box-units says otherwise")
    corners = [_corners(quad, kind) for quad, _ in given]
    turned = sum(x1 < x0 or y1 < y0 for x0, y0, x1, y1 in corners)
    if turned:
        notes.append(f"{counted(turned, 'box', 'boxes')} end before they begin: left out")
    below = sum(x1 <= 0 or y1 <= 0 for x0, y0, x1, y1 in corners)
    beyond = sum(shares and (x1 > 1.001 or y1 > 1.001) for _, _, x1, y1 in corners)
    if below or beyond:
        notes.append(f"{counted(below + beyond, 'box', 'boxes')} outside the photo")
    table = {key: None if quad is None else _box(quad, kind) for key, (quad, _) in quads.items()}
    return Boxes(table, shares, notes)


def _told_format(given: Sequence[tuple[Quad, str]], where: str) -> str:
    turned = [(quad, place) for quad, place in given if quad[2] < quad[0] or quad[3] < quad[1]]
    if not turned:
        return "xyxy"
    if len(turned) >= _TELLING * len(given) and all(
        quad[2] >= 0 and quad[3] >= 0 for quad, _ in given
    ):
        return "xywh"
    quad, place = turned[0]
    raise UserError(
        f"{where}, {place}: a box that ends before it begins: {', '.join(f'{n:g}' for n in quad)}. "
        "Mend it, or say what the four numbers are with --box-format xyxy or xywh."
    )


def _are_shares(given: Sequence[tuple[Quad, str]], where: str) -> bool:
    numbers = [value for quad, _ in given for value in quad]
    if not numbers or max(numbers) > 1 or min(numbers) < 0:
        return False
    if all(value.is_integer() for value in numbers):
        if not any(numbers):
            return False
        raise UserError(
            f"{where}: the boxes hold 0 and 1 alone: the whole photo, or a single pixel? Say which "
            "with --box-units shares or pixels."
        )
    return True


def _corners(quad: Quad, kind: str) -> Quad:
    a, b, c, d = quad
    if kind == "xywh":
        return a, b, a + c, b + d
    if kind == "cxcywh":
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    return quad


def _box(quad: Quad, kind: str) -> Box | None:
    """Return a box with corners at 0 or more; None for an empty one."""
    x0, y0, x1, y1 = _corners(quad, kind)
    x0, y0 = max(x0, 0.0), max(y0, 0.0)
    sound = x1 > x0 and y1 > y0 and all(map(math.isfinite, (x1, y1)))
    return (x0, y0, x1, y1) if sound else None


def in_pixels(box: Box | None, size: tuple[int, int] | None, *, shares: bool) -> Box | None:
    """Return a box in pixels of a photo of this width and height; None where they are not known."""
    if box is None or not shares:
        return box
    if size is None:
        return None
    width, height = size
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height
