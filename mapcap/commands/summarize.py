"""`mapcap summarize`: summaries of any length from what is stored."""

from typing import Annotated

import typer
from sqlalchemy import Engine

from db import queries
from db.records import Sentence, Summary
from db.selection import select
from mapcap import show
from mapcap.commands.base import Db, Json, RunNumber, open_run, print_page
from mapcap.errors import UserError


def summarize(
    db: Db,
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="One class; all if not given.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--sentences", metavar="K", help="Sentences.")] = 5,
    redundancy: Annotated[
        float, typer.Option(metavar="X", help="Weight of what a new sentence repeats.")
    ] = 1.0,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Choose summaries anew from the stored PMI, for any length and redundancy; no network needed.

    [cyan]mapcap summarize photos.db -k 7 --redundancy 0.5[/]
    """
    if k < 1:
        raise UserError(f"-k {k}: a summary has at least one sentence.")
    if redundancy < 0:
        raise UserError(f"--redundancy {redundancy}: the weight is at least 0.")
    engine, chosen = open_run(db, run)
    if class_name is None:
        wanted = queries.classes(engine, chosen.id)
    else:
        wanted = [queries.class_by_name(engine, chosen.id, class_name)]
    found = [(entry, _select(engine, entry.id, k, redundancy)) for entry in wanted]
    if json:
        show.print_json([{"class": entry.name, "summary": summary} for entry, summary in found])
        return
    for entry, summary in found:
        print_page(show.safe(entry.name))
        print_page(show.summary_table(summary, entry.distinct_captions))


def _select(engine: Engine, class_id: int, k: int, redundancy: float) -> Summary | None:
    """Choose a class's summary from its stored matrix."""
    pmi = queries.pmi(engine, class_id)
    if pmi is None or not pmi.texts:
        return None
    captions = {c.caption_id: c for c in queries.captions(engine, class_id, limit=10**6)}
    sentences = []
    for position, chosen in enumerate(select(pmi.matrix, pmi.counts, k, redundancy, pmi.weights)):
        caption = captions[int(pmi.caption_ids[chosen.index])]
        sentences.append(
            Sentence(
                position,
                caption.caption_id,
                caption.text,
                chosen.relevance,
                chosen.penalty,
                chosen.score,
                caption.count,
                caption.right,
                caption.wrong,
            )
        )
    return Summary(0, class_id, k, redundancy, tuple(sentences))
