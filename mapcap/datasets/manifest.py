"""CSV and Parquet manifests: one row an image, with the columns path and class."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mapcap.datasets.columns import PARQUET, named_rows
from mapcap.datasets.records import Found, Listing, Place, shown
from mapcap.datasets.remote import Url, check_url, is_url
from mapcap.datasets.tables import box_of
from mapcap.errors import UserError

_BOX = ("x0", "y0", "x1", "y1")


def list_manifest(manifest: Path) -> Listing:
    """List the images of a manifest with the columns path, class and, if any has, x0, y0, x1, y1.

    Paths are relative to the manifest, or URLs. A row with four empty box cells has no box. Files
    that are missing are listed, and found unreadable later; unless all of them are.

    Raises:
        UserError: for columns that are missing, an empty cell, a path that comes twice, no rows,
            or not one file there.
    """
    listing = Listing()
    lines: dict[str, str] = {}
    for line, record in _records(manifest):
        where = f"PHOTOS: {shown(manifest)}, {line}"
        if not record["path"] or not record["class"] or "\0" in record["path"]:
            raise UserError(f"{where}: path and class must not be empty.")
        place: Place
        if is_url(relative := record["path"]):
            check_url(relative, where)
            place = Url(relative)
        else:
            relative = PurePosixPath(relative).as_posix()
            place = manifest.parent / relative
        if relative in lines:
            raise UserError(
                f"{where}: {shown(relative)} was there before, in {lines[relative]}. "
                "Keep one row an image."
            )
        lines[relative] = line
        cells = [record.get(column, "") for column in _BOX]
        box = box_of(cells, where) if any(cells) else None
        listing.images.append(Found(place, record["class"], relative, box))
    if not listing.images:
        raise UserError(f"PHOTOS: {shown(manifest)} has no rows. Write one row an image.")
    # Of URLs none is asked for yet: the pass is the first to do so.
    if not any(isinstance(image.path, Url) or image.path.is_file() for image in listing.images):
        first = shown(listing.images[0].path)
        raise UserError(
            f"PHOTOS: {shown(manifest)}: not one of its files is there, such as {first}. Paths are "
            "relative to the manifest."
        )
    return listing


def _records(manifest: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows with their places; column names of text tables in any case, nulls empty."""
    folded = manifest.suffix.lower() not in PARQUET

    def choose(columns: list[str]) -> list[str]:
        names = [name.lower() for name in columns] if folded else columns
        _check_columns(manifest, names)
        expected = ("path", "class", *_BOX)
        return [column for column, name in zip(columns, names, strict=True) if name in expected]

    for place, values in named_rows(manifest, "PHOTOS", choose):
        yield (
            place,
            {
                name.lower() if folded else name: "" if value is None else str(value).strip()
                for name, value in values.items()
            },
        )


def _check_columns(manifest: Path, columns: list[str]) -> None:
    missing = [name for name in ("path", "class") if name not in columns]
    boxes = [name for name in _BOX if name in columns]
    if boxes and len(boxes) < len(_BOX):
        missing += [name for name in _BOX if name not in columns]
    if missing:
        raise UserError(
            f"PHOTOS: {shown(manifest)}, line 1: no column {', '.join(missing)}; it has "
            f"{shown(', '.join(columns))[:200]}. Expected path,class and, with boxes, x0,y0,x1,y1."
        )
