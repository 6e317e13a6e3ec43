"""`mapcap report`: a run as one HTML file."""

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
from mapcap.export.outfile import check_out, whole_file
from mapcap.export.rows import read_marks
from mapcap.printing import pages
from mapcap.printing.progress import watched
from mapcap.printing.tables import safe
from mapcap.text import counted


def report(
    db: Db,
    out: Annotated[Path, typer.Option(metavar="FILE", help="A new HTML file.")],
    class_names: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Only this class; may be repeated."),
    ] = None,
    run: RunNumber = None,
    verdicts: VerdictsFile = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a run as one HTML file, to read, print or send on: it needs no network and no scripts.

    It shows the classes, the worst first; of each the audit's line, the summary, where the model
    looks on correct and misclassified images, what they are predicted as, the findings with images
    that show them, and your verdicts. What is not there yet, such as an audit, is left out.

    [cyan]mapcap report photos.db --out report.html[/]

    [cyan]mapcap report photos.db --out cats.html --class tabby --class "Egyptian cat"[/]
    """
    # Brings jinja2, which no other command needs.
    from mapcap.report.page import class_pages, pieces, read_head

    check_out(out, force=force, keep=db)
    engine, chosen = open_run(db, run)
    marks = read_marks(chosen, db, verdicts)
    head = read_head(engine, chosen, class_names or [], marks)
    classes = watched(
        class_pages(engine, head), errors(), "report", "classes", len(head.classes), lambda _: 1
    )
    with whole_file(out) as file:
        for piece in pieces(head, classes):
            file.write(piece)
        size = file.tell()
    if json:
        pages.print_json({"out": str(out), "classes": len(head.classes), "bytes": size})
        return
    size_of = f"{counted(len(head.classes), 'class')} in {out} ({size / 1e6:.1f} MB)"
    print_page(safe(size_of))
