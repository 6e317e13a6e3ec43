"""Manifests: tables with one row an image, with the columns path and class."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mapcap.datasets.box_numbers import BoxForm, Quad, box_columns, quad_of, settle
from mapcap.datasets.cells import text_of
from mapcap.datasets.columns import CLASS, PATH, pick
from mapcap.datasets.locating import Finder
from mapcap.datasets.records import Found, Listing, Place, composed, shown
from mapcap.datasets.remote import Url, check_url, is_url
from mapcap.datasets.tables import Table, open_table
from mapcap.errors import UserError

_BREAKS: Final = ("\n", "\r")
_MISSING: Final = frozenset({"nan", "na", "n/a", "null", "none", "<na>", "nil", "#n/a", "#ref!"})
"""What R, pandas, Excel and databases write where nothing is."""
_ONE_BOX: Final = frozenset({"box", "bbox", "boxes", "bboxes", "bounding_box", "bounding box"})


def list_manifest(manifest: Path, form: BoxForm = BoxForm()) -> Listing:  # noqa: B008
    """List the images of a manifest with the columns path, class and perhaps those of boxes.

    Paths are relative to the manifest, or URLs. A row with four empty box cells has no box. Files
    that are missing are listed, and found unreadable later; unless all of them are.

    Raises:
        UserError: for columns that are missing, an empty cell, a path that comes twice, no rows,
            or not one file there.
    """
    table = open_table(manifest, "PHOTOS")
    path, label, boxed = _columns(table)
    kind, box = boxed or (None, [])
    finder = Finder(manifest.parent)
    listing = Listing()
    places: dict[str, str] = {}
    quads: dict[str, tuple[Quad | None, str]] = {}
    anything = False
    for place, record in table.records([path, label, *box]):
        where = table.where(place)
        written, name = (
            _text(record[path], f"{where}, {path}"),
            _text(record[label], f"{where}, {label}"),
        )
        if not written or not name or "\0" in written:
            raise UserError(f"{where}: path and class must not be empty.")
        at, relative, there = _locate(written, finder, where)
        if relative in places:
            raise UserError(
                f"{where}: {shown(relative)} was there before, in {places[relative]}. "
                "Keep one row an image."
            )
        places[relative] = place
        anything = anything or (there and (isinstance(at, Url) or at.is_file()))
        if box:
            quads[relative] = quad_of([record[column] for column in box], where), place
        listing.images.append(Found(at, composed(name), relative))
    if not listing.images:
        raise UserError(f"PHOTOS: {shown(manifest)} has no rows. Write one row an image.")
    if not anything:
        first = shown(str(listing.images[0].path))
        raise UserError(
            f"PHOTOS: {shown(manifest)}: not one of its files is there, such as {first}. Paths are "
            "relative to the manifest."
        )
    listing.notes += [*table.notes, *finder.notes, *_doubts(table, listing, boxed=bool(box))]
    if box:
        boxes = settle(quads, table.where(), form, kind)
        listing.shares = boxes.shares
        listing.notes += boxes.notes
        listing.images = [
            Found(image.path, image.label, image.relative, boxes.table[image.relative])
            for image in listing.images
        ]
    return listing


def _doubts(table: Table, listing: Listing, *, boxed: bool) -> list[str]:
    """Return what to say of cells that may be meant otherwise than they are read."""
    counts = Counter(image.label for image in listing.images)
    doubts = [
        f"{counts[label]:,} of class {shown(label)}: if that stands for a class that is missing, "
        "leave these rows out"
        for label in sorted(counts)
        if label.casefold() in _MISSING
    ]
    unread = [name for name in table.header if name.strip().casefold() in _ONE_BOX]
    if unread and not boxed:
        doubts.append(
            f"column {shown(unread[0])} is not read: a box stands in four columns, such as "
            "x0,y0,x1,y1"
        )
    return doubts


def has_columns(table: Table) -> bool:
    """Tell whether a table has the columns of a manifest."""
    return {"path", "class"} <= pick(table, {"path": PATH, "class": CLASS}).keys()


def _columns(table: Table) -> tuple[str, str, tuple[str, list[str]] | None]:
    """Return the columns of path, class and boxes, these with how their numbers are meant."""
    if not table.header:
        raise UserError(f"{table.where()} has no rows. Write one row an image.")
    picked = pick(table, {"path": PATH, "class": CLASS})
    missing = [what for what in ("path", "class") if what not in picked]
    if missing:
        raise UserError(
            f"{table.where('line 1' if table.first else '')}: no column {', '.join(missing)}; it "
            f"has {shown(', '.join(table.header))[:200]}. Expected path,class and, with boxes, "
            "x0,y0,x1,y1."
        )
    return picked["path"], picked["class"], box_columns(table)


def _locate(written: str, finder: Finder, where: str) -> tuple[Place, str, bool]:
    """Return where a photo is, under which path it is stored, and whether it is there.

    Raises:
        UserError: starting with `where`, for a URL that is not to be opened, or cannot be.
    """
    if is_url(written):
        check_url(written, where)
        # Of URLs none is asked for yet: the pass is the first to do so.
        return Url(written), written, True
    return finder.find(written)


def _text(cell: Any, where: str) -> str:
    """Return the text of a cell that is no list, object or piece of several lines.

    Raises:
        UserError: otherwise; of the latter, an open quote is the likely cause.
    """
    if isinstance(cell, dict | Sequence) and not isinstance(cell, str | bytes):
        raise UserError(f"{where}: expected a text, not {shown(str(cell))[:60]}.")
    text = text_of(cell)
    if any(each in text for each in _BREAKS) and any(each in text for each in ",;\t|"):
        raise UserError(
            f"{where}: this cell goes over several lines: {shown(text)[:60]!r}. Close the quote "
            "that is opened there, or drop it."
        )
    return text
