"""`mapcap status` and `mapcap classes`: a file and its classes at a glance."""

from typing import Annotated, cast, get_args

import typer

from db import queries
from db.ordering import ClassSort
from mapcap import show
from mapcap.commands.base import Db, Json, RunNumber, console, open_run, print_page
from mapcap.errors import UserError

_SORTS: tuple[str, ...] = get_args(ClassSort)


def status(db: Db, json: Json = False) -> None:
    """Show the runs of a file: how far each stage is, at what rate, with which networks."""
    engine, _ = open_run(db, None)
    pages = [
        (run, queries.stages(engine, run.id), queries.counts(engine, run.id))
        for run in queries.runs(engine)
    ]
    if json:
        names = ("run", "stages", "counts")
        show.print_json([dict(zip(names, page, strict=True)) for page in pages])
        return
    for page in pages:
        print_page(show.status_page(*page))


def classes(
    db: Db,
    sort: Annotated[str, typer.Option(help=f"{', '.join(_SORTS)}.")] = "accuracy",
    descending: Annotated[bool, typer.Option("--descending", help="Largest first.")] = False,
    below: Annotated[
        float | None, typer.Option(metavar="X", help="Only classes of accuracy below X.")
    ] = None,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """List the classes: accuracy with its interval, confusion, summary; the worst first."""
    if sort not in _SORTS:
        raise UserError(f"--sort {sort}: give one of {', '.join(_SORTS)}.")
    engine, chosen = open_run(db, run)
    found = queries.classes(
        engine,
        chosen.id,
        sort=cast(ClassSort, sort),
        descending=descending,
        below=below,
    )
    if json:
        show.print_json(found)
        return
    page = console()
    show.show(page, show.class_table(found, page.width))
