"""`mapcap export`: a run's tables as CSV, JSON lines or Parquet."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mapcap.commands.base import (
    Db,
    Force,
    Json,
    RunNumber,
    VerdictsFile,
    errors,
    open_run,
    print_page,
)
from mapcap.errors import UserError, closest
from mapcap.export.formats import FORMATS, writer
from mapcap.export.outfile import check_out, whole_file
from mapcap.export.rows import NAMES, chunks, columns, count, one_row, read_marks
from mapcap.printing import pages
from mapcap.printing.progress import watched
from mapcap.printing.tables import safe

_TABLES = "; ".join(f"[bold]{name}[/]: {one_row(name)} a row" for name in NAMES)
_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def export(
    db: Db,
    table: Annotated[str, typer.Option(help=_TABLES)],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new file; - prints csv and jsonl.")],
    format: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(FORMATS)}; if not given, as FILE ends, csv for -."),
    ] = None,
    run: RunNumber = None,
    verdicts: VerdictsFile = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a table of a run to a file, for other programs: csv, jsonl (an object a line), parquet.

    Classes go by their label and images by their path, which are unique in a run. Images, classes
    and findings carry your verdicts. docs/tables.md says what each column means; boxes are in
    pixels. In csv, a text that a spreadsheet would take for a formula has an apostrophe in front.

    [cyan]mapcap export photos.db --table images --out images.csv[/]

    [cyan]mapcap export photos.db --table regions --out regions.parquet[/]

    [cyan]mapcap export photos.db --table captions --format jsonl --out - | head[/]
    """
    printed = str(out) == "-"
    chosen_format = _check_format(table, format, out, json=json)
    write = writer(chosen_format)
    if not printed:
        check_out(out, force=force, keep=db)
    engine, chosen = open_run(db, run)
    marks = read_marks(chosen, db, verdicts)
    stored = chunks(engine, chosen, table, marks)
    if printed:
        write(sys.stdout.buffer, columns(table), stored)
        sys.stdout.buffer.flush()
        return
    if errors().is_terminal:
        # Counting beforehand is worth it only where somebody watches.
        total = count(engine, chosen, table, marks)
        stored = watched(stored, errors(), table, "rows", total, len)
    with whole_file(out) as file:
        rows = write(file, columns(table), stored)
        size = file.tell()
    if json:
        page = {"out": str(out), "table": table, "format": chosen_format}
        pages.print_json({**page, "rows": rows, "bytes": size})
        return
    print_page(safe(f"{rows:,} rows of {table} in {out} ({size:,} bytes)"))


def _check_format(table: str, format: str | None, out: Path, *, json: bool) -> str:
    """Return the format, or raise UserError for options that do not go together."""
    if table not in NAMES:
        raise UserError(f"--table {table}: there is no such table. {closest(table, NAMES)}")
    ending = _ENDINGS.get(out.suffix.lower())
    chosen = ("csv" if str(out) == "-" else ending) if format is None else format
    if chosen is None:
        raise UserError(f"--format: give one of {', '.join(FORMATS)}")
    if chosen not in FORMATS:
        raise UserError(f"--format {chosen}: give one of {', '.join(FORMATS)}")
    if str(out) == "-" and (chosen == "parquet" or json):
        what = "--json" if json else "--format parquet"
        raise UserError(f"--out - prints the rows and does not go with {what}: name a file")
    return chosen
