"""What the commands share: the app, common arguments, opening a file, printing a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console

from db import queries
from db.choice import choose
from db.errors import StoreError
from mapcap.config import MOST
from mapcap.printing.streams import Forgiving

if TYPE_CHECKING:
    from rich.console import RenderableType
    from sqlalchemy import Engine

    from db.records import Run

_UNBOUNDED = 100_000
"""Columns of what is no terminal."""

Db = Annotated[Path, typer.Argument(metavar="DB", help="A file that `mapcap index` filled.")]
RunNumber = Annotated[
    int | None,
    typer.Option(
        "--run", metavar="N", min=1, max=MOST, help="Run of the file; newest finished if not given."
    ),
]
VerdictsFile = Annotated[
    Path | None,
    typer.Option(
        "--verdicts", metavar="FILE", help="File of your verdicts; beside DB if not given."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def open_run(db: Path, run: int | None, *, write: bool = False) -> tuple[Engine, Run]:
    """Open a file and choose a run of it, the newest finished one if `run` is None.

    Where a newer one is not finished, a line on the standard error says so.

    Raises:
        StoreError: for a file that cannot be used, or a run that it does not have.
    """
    # Not for `mapcap browse`, which paints before SQLAlchemy is loaded.
    from db.engine import open_read, open_write

    if write and not db.exists():
        raise StoreError(f"{db} does not exist: check the name")
    engine = open_write(db) if write else open_read(db)
    if run is not None:
        return engine, queries.run(engine, run)
    choice = choose([(each.id, each.status) for each in queries.runs(engine)])
    if choice.newer is not None:
        errors().print(f"run {choice.newer} is not finished: this is run {choice.run_id}")
    return engine, queries.run(engine, choice.run_id)


def source_of(engine: Engine, run: Run) -> str | None:
    """Return whose predictions a run explains; None where the CLIP is the classifier."""
    from mapcap.runs.source import source_line

    totals = queries.run_totals(engine, run.id)
    return source_line(run, totals.predicted, totals.agreed)


def print_page(page: RenderableType, source: str | None = None) -> None:
    """Print a page on the standard output, below whose predictions it is about."""
    from mapcap.printing import pages
    from mapcap.printing.tables import safe

    if source is not None:
        pages.show(console(), safe(source))
    pages.show(console(), page)


def console() -> Console:
    """Return the console of the standard output; `:x:` in a name is a name, no emoji."""
    environment = _environment()
    opened = Console(emoji=False, _environ=environment)
    if not opened.is_terminal and "COLUMNS" not in environment:
        # A file or a pipe has no width: cut and wrap nothing that a person would want to search.
        opened = Console(width=_UNBOUNDED, emoji=False, _environ=environment)
    return opened


def errors() -> Console:
    """Return the console of progress and errors; what it cannot print ends nothing."""
    stream = cast("IO[str]", Forgiving(sys.stderr))  # what rich asks of a file, it has
    return Console(file=stream, emoji=False, _environ=_environment())


def _environment() -> dict[str, str]:
    """Return the environment without a width or height that is none, as some shells export it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "LINES") or (value.isdecimal() and int(value[:9]) > 0)
    }
