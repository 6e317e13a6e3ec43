"""`mapcap status` and `mapcap classes`: a file and its classes at a glance."""

from typing import Annotated, Any, cast, get_args

import typer

from db import queries
from db.ordering import ClassSort, arranged
from db.queries.unfinished import classes_now, counts_now, unreadable_images
from mapcap.commands.base import Db, Json, RunNumber, open_run, print_page, source_of
from mapcap.errors import UserError
from mapcap.printing import pages
from mapcap.runs.source import UNLABELLED
from mapcap.runs.standing import standing

_SORTS: tuple[str, ...] = get_args(ClassSort)


def status(db: Db, json: Json = False) -> None:
    """Show the runs of a file: how far each stage is, at what rate, with which networks."""
    engine, _ = open_run(db, None)
    shown: list[dict[str, Any]] = [
        {
            "run": run,
            "stages": queries.stages(engine, run.id),
            "counts": counts_now(engine, run),
            "standing": standing(run),
            "unreadable": unreadable_images(engine, run.id),
        }
        for run in queries.runs(engine)
    ]
    if json:
        pages.print_json(shown)
        return
    for page in shown:
        print_page(pages.status_page(**page), source_of(engine, page["run"]))


def classes(
    db: Db,
    sort: Annotated[str, typer.Option(help=f"{', '.join(_SORTS)}.")] = "accuracy",
    descending: Annotated[bool, typer.Option("--descending", help="Largest first.")] = False,
    below: Annotated[
        str | None,
        typer.Option(metavar="X", help="Only classes of accuracy below X per cent: 50, or 50%."),
    ] = None,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """List the classes: accuracy with its interval, confusion, summary; the worst first.

    [cyan]mapcap classes sample.db --below 50[/]
    """
    if sort not in _SORTS:
        raise UserError(f"--sort {sort}: give one of {', '.join(_SORTS)}.")
    bound = None if below is None else _share(below)
    engine, chosen = open_run(db, run)
    if bound is not None and chosen.unlabelled:
        raise UserError(f"--below: run {chosen.id} has {UNLABELLED}. Leave the option out.")
    records = arranged(
        classes_now(engine, chosen),
        sort=cast(ClassSort, sort),
        descending=descending,
        below=bound,
    )
    if json:
        pages.print_json(records)
        return
    print_page(pages.class_table(records), source_of(engine, chosen))


def _share(below: str) -> float:
    """Return per cent as a share of one; UserError for what is none."""
    text = below.strip()
    try:
        bound = float(text.removesuffix("%"))
    except ValueError:
        bound = -1.0
    if not 0 <= bound <= 100:
        raise UserError(f"--below {below}: give per cent, from 0 to 100, such as 50.")
    if 0 < bound < 1 and not text.endswith("%"):
        raise UserError(
            f"--below {below} is in per cent: give {100 * bound:g}, or {text}% if you mean that."
        )
    return bound / 100
