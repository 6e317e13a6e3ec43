"""`mapcap summarize`: summaries of any length from what is stored."""

from typing import Annotated

import typer

from db import queries
from mapcap.commands.base import Db, Json, RunNumber, open_run, print_page
from mapcap.config import MOST, IndexConfig
from mapcap.errors import UserError
from mapcap.printing import pages
from mapcap.printing.summaries import summary_table
from mapcap.printing.tables import safe
from mapcap.runs.lookup import find_class
from mapcap.summaries.absent import why_no_summary
from mapcap.summaries.stored import read_summary


def summarize(
    db: Db,
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="One class; all if not given.")
    ] = None,
    k: Annotated[
        int, typer.Option("-k", "--sentences", metavar="K", max=MOST, help="Sentences.")
    ] = IndexConfig.sentences,
    redundancy: Annotated[
        float,
        typer.Option(
            "--redundancy-penalty", metavar="X", help="Lambda: weight of what a sentence repeats."
        ),
    ] = IndexConfig.redundancy,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Re-select summaries from the stored PMI, for any length and redundancy; no network needed.

    [cyan]mapcap summarize photos.db -k 7 --redundancy-penalty 0.5[/]
    """
    if k < 1:
        raise UserError(f"-k {k}: a summary has at least one sentence.")
    if not 0 <= redundancy <= MOST:
        raise UserError(f"--redundancy-penalty {redundancy}: the weight is 0 to {MOST:,}.")
    engine, chosen = open_run(db, run)
    if class_name is None:
        wanted = queries.classes(engine, chosen.id)
    else:
        wanted = [find_class(engine, chosen.id, class_name)]
    summaries = [(entry, read_summary(engine, entry.id, k, redundancy)) for entry in wanted]
    if json:
        pages.print_json([{"class": entry.name, "summary": each} for entry, each in summaries])
        return
    for entry, summary in summaries:
        print_page(safe(entry.name))
        absent = why_no_summary(engine, chosen, entry)
        print_page(summary_table(summary, entry.distinct_captions, absent))
