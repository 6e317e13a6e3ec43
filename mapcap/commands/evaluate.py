"""`mapcap evaluate`: how good the maps, captions and summaries of a run are."""

from pathlib import Path
from typing import Annotated

import typer

from db import queries
from mapcap.commands.base import Db, Json, RunNumber, console, errors, open_run, source_of
from mapcap.config import MOST
from mapcap.datasets.box_numbers import box_form
from mapcap.datasets.boxes import read_boxes
from mapcap.errors import UserError
from mapcap.metrics.answer import answer
from mapcap.metrics.names import meaning
from mapcap.printing import pages
from mapcap.printing.metrics import metrics_page, missing
from mapcap.printing.tables import safe


def evaluate(
    db: Db,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Store these boxes with the run: a table as for index."),
    ] = None,
    box_format: Annotated[
        str | None,
        typer.Option(metavar="FORM", help="Of --boxes: xyxy, xywh or cxcywh, as for index."),
    ] = None,
    box_units: Annotated[
        str | None, typer.Option(metavar="UNITS", help="Of --boxes: pixels or shares.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST,
            help="Measure faithfulness and sanity on N images; 200 is a good number.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    batch_size: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST, help="Images in a batch.")
    ] = 16,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Print the metrics, and what accuracy correlates with across the classes.

    What is stored is printed as it is. --sample loads the run's CLIP and the photos: Ctrl-C stops
    after the batch at hand, and the same command goes on where it stopped.

    [cyan]mapcap evaluate photos.db[/]

    [cyan]mapcap evaluate photos.db --sample 200 --device cuda[/]

    [cyan]mapcap evaluate photos.db --boxes boxes.tsv[/]
    """
    form = box_form(box_format, box_units)
    if sample is None and device != "auto":
        raise UserError("--device goes with --sample N: without it no network is loaded")
    # All that is given is looked at before the file is opened for writing.
    table = None if boxes is None else read_boxes(boxes, form)
    if boxes is not None and table is not None:
        from mapcap.evaluation.session import measure_boxes

        measure_boxes(*open_run(db, run, write=True), boxes, table, errors())
    if sample is not None:
        from mapcap.evaluation.session import sample_run
        from mapcap.networks.devices import pick_device

        place = pick_device(device)
        engine, chosen = open_run(db, run, write=True)
        finished = sample_run(
            engine, chosen, sample, device=place, batch_size=batch_size, console=errors()
        )
        if not finished:
            raise typer.Exit(130)
    _print(db, run, json=json)


def _print(db: Path, run: int | None, *, json: bool) -> None:
    engine, chosen = open_run(db, run)
    figures = queries.figures(engine, chosen.id)
    classes = queries.classes(engine, chosen.id)
    per_class = queries.class_figures(engine, chosen.id)
    if not json:
        page = console()
        if chosen.unlabelled and (source := source_of(engine, chosen)) is not None:
            pages.show(page, safe(source))
        pages.show(page, metrics_page(figures, classes, per_class, db, page.width))
        return
    pages.print_json(
        {
            "run": chosen.id,
            "figures": figures,
            "meanings": {f.name: text for f in figures if (text := meaning(f.name)) is not None},
            "classes": {record.label: per_class.get(record.id, {}) for record in classes},
            "answer": answer(figures),
            "not_measured": missing(figures, db),
        }
    )
