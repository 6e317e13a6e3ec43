"""`mapcap verdicts`: what an auditor said of a run's images, classes and findings."""

from pathlib import Path
from typing import Annotated

import typer

from mapcap.commands.base import Db, Json, RunNumber, open_run, print_page
from mapcap.export.rows import read_marks
from mapcap.printing import pages
from mapcap.printing.verdicts import verdicts_page


def verdicts(
    db: Db,
    run: RunNumber = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of your verdicts; beside DB if not given."),
    ] = None,
    json: Json = False,
) -> None:
    """List your verdicts: wrong labels with the right class, true findings and noise, notes.

    They are made in `mapcap browse` (v) and kept in DB.verdicts.sqlite, not in the file itself.

    [cyan]mapcap verdicts photos.db --json | jq '.[] | select(.mark == "label wrong")'[/]
    """
    _, chosen = open_run(db, run)
    made = read_marks(chosen, db, verdicts)
    listed = [made[key] for key in sorted(made)]
    if json:
        pages.print_json(listed)
        return
    print_page(verdicts_page(listed))
