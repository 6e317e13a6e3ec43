"""CSV and Parquet manifests: one row an image, with the columns path and class."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mapcap.datasets.records import Found, Listing, shown
from mapcap.datasets.tables import box_of, rows
from mapcap.errors import UserError

TABLES = frozenset({".csv", ".tsv", ".txt"})
PARQUET = frozenset({".parquet", ".pq"})
_BOX = ("x0", "y0", "x1", "y1")


def list_manifest(manifest: Path) -> Listing:
    """List the images of a manifest with the columns path, class and, if any has, x0, y0, x1, y1.

    Paths are relative to the manifest. A row with four empty box cells has no box. Files that are
    missing are listed, and found unreadable later; unless all of them are.

    Raises:
        UserError: for columns that are missing, an empty cell, a path that comes twice, no rows,
            or not one file there.
    """
    listing = Listing()
    lines: dict[str, str] = {}
    records = _parquet(manifest) if manifest.suffix.lower() in PARQUET else _table(manifest)
    for line, record in records:
        where = f"PHOTOS: {shown(manifest)}, {line}"
        if not record["path"] or not record["class"] or "\0" in record["path"]:
            raise UserError(f"{where}: path and class must not be empty.")
        relative = PurePosixPath(record["path"]).as_posix()
        if relative in lines:
            raise UserError(
                f"{where}: {shown(relative)} was there before, in {lines[relative]}. "
                "Keep one row an image."
            )
        lines[relative] = line
        cells = [record.get(column, "") for column in _BOX]
        box = box_of(cells, where) if any(cells) else None
        listing.found.append(Found(manifest.parent / relative, record["class"], relative, box))
    if not listing.found:
        raise UserError(f"PHOTOS: {shown(manifest)} has no rows. Write one row an image.")
    if not any(os.path.isfile(image.path) for image in listing.found):  # noqa: PTH113
        first = shown(listing.found[0].path)
        raise UserError(
            f"PHOTOS: {shown(manifest)}: not one of its files is there, such as {first}. Paths are "
            "relative to the manifest."
        )
    return listing


def _table(manifest: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a table with their lines."""
    header: list[str] = []
    for line, cells in rows(manifest, "PHOTOS"):
        if not header:
            header = [cell.lower() for cell in cells]
            _check_columns(manifest, header)
        elif len(cells) != len(header):
            raise UserError(
                f"PHOTOS: {shown(manifest)}, line {line}: {len(cells)} cells under {len(header)} "
                "columns. Put cells that hold a comma in quotes."
            )
        else:
            yield f"line {line}", dict(zip(header, cells, strict=True))


def _parquet(manifest: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a Parquet file with their numbers; nulls become empty."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError(
            f"PHOTOS: {shown(manifest)} needs pyarrow: pip install 'mapcap[parquet]'. "
            "Or save the manifest as CSV."
        ) from error
    try:
        with parquet.ParquetFile(manifest) as file:
            names = list(file.schema_arrow.names)
            _check_columns(manifest, names)
            wanted = [name for name in ("path", "class", *_BOX) if name in names]
            first = 1
            for batch in file.iter_batches(columns=wanted):
                for number, values in enumerate(batch.to_pylist(), start=first):
                    yield (
                        f"row {number}",
                        {k: "" if v is None else str(v).strip() for k, v in values.items()},
                    )
                first += batch.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise UserError(
            f"PHOTOS: {shown(manifest)} cannot be read as Parquet: {shown(str(error))[:200]}"
        ) from error


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
