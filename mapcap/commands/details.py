"""`mapcap show`, `mapcap image` and `mapcap search`: one class, one image, some captions."""

from typing import Annotated, Any

import typer

from db import queries
from mapcap.commands.base import Db, Json, RunNumber, open_run, print_page, source_of
from mapcap.config import MOST, IndexConfig
from mapcap.printing import pages
from mapcap.printing.tables import safe
from mapcap.runs.lookup import find_class, find_image
from mapcap.summaries.absent import why_no_summary
from mapcap.summaries.stored import read_sides, read_summary


def show_class(
    db: Db,
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name or folder of a class.")],
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Show one class: its accuracy, its summary, what it is predicted as, its words."""
    engine, chosen = open_run(db, run)
    record = find_class(engine, chosen.id, class_name)
    config = IndexConfig.of(chosen.config)
    page: dict[str, Any] = {
        "record": record,
        "summary": read_summary(engine, record.id, config.sentences, config.redundancy),
        "sides": read_sides(engine, record.id, config.sentences, config.redundancy),
        "confusions": queries.confusions(engine, record.id),
        "words": queries.word_scores(engine, record.id, "relevance")[:12],
    }
    if json:
        pages.print_json({"class": page.pop("record"), **page})
        return
    absent = why_no_summary(engine, chosen, record)
    print_page(pages.class_page(**page, absent=absent), source_of(engine, chosen))


def image(
    db: Db,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path of an image, or its end.")],
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Show one image: what it was predicted as, its regions and their captions."""
    engine, chosen = open_run(db, run)
    image = find_image(engine, chosen.id, path)
    page: dict[str, Any] = {
        "image": image,
        "top": queries.top_classes(engine, image.id),
        "regions": queries.regions(engine, image.id),
    }
    if json:
        pages.print_json(page)
        return
    print_page(pages.image_page(**page), source_of(engine, chosen))


def search(
    db: Db,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words of a caption.")],
    in_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Only captions of this class.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST, help="At most N captions.")
    ] = 50,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Search for captions that contain all words; the last may be a prefix."""
    engine, chosen = open_run(db, run)
    class_id = None
    if in_class is not None:
        class_id = find_class(engine, chosen.id, in_class, "--class").id
    hits = queries.search_captions(
        engine, chosen.id, " ".join(words), class_id=class_id, limit=limit
    )
    if json:
        pages.print_json(hits)
        return
    if not hits:
        print_page(safe(f"no caption holds {' '.join(words)}"))
        return
    print_page(pages.hits_table(hits))
