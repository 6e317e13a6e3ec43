"""`mapcap evaluate` with --boxes or --sample: a run opened for writing, measured, closed."""

from pathlib import Path

import torch
from rich.console import Console
from sqlalchemy import Engine

from db.engine import finish
from db.records import Run
from mapcap.config import IndexConfig
from mapcap.datasets.box_numbers import Boxes
from mapcap.errors import UserError
from mapcap.evaluation.boxes import add_boxes
from mapcap.evaluation.sampling import measure_sample, measure_store, paths_of
from mapcap.indexing.progress import Stopped
from mapcap.indexing.stopping import stop_on_signals
from mapcap.networks.clip import load_clip
from mapcap.printing.progress import Bars
from mapcap.text import clean


def measure_boxes(engine: Engine, run: Run, table: Path, boxes: Boxes, console: Console) -> None:
    """Store the boxes of a table with a run and measure its maps by them.

    Raises:
        UserError: for boxes of none of its images, or a run without regions.
    """
    try:
        count = add_boxes(engine, run, IndexConfig.of(run.config), table, boxes)
    finally:
        finish(engine)
    for note in boxes.notes:
        _say(console, note)
    _say(console, f"{count:,} boxes of {table} stored with run {run.id}")


def sample_run(
    engine: Engine,
    run: Run,
    count: int,
    *,
    device: torch.device,
    batch_size: int,
    console: Console,
) -> bool:
    """Measure a sample of a run with its CLIP and its photos; False if the user stopped it.

    Raises:
        UserError: for options that cannot be used, or photos that are not on this machine.
    """
    stopped, lost = False, 0
    try:
        config = IndexConfig.of(run.config)
        if config.classifier is not None:
            raise UserError(
                f"--sample: run {run.id} has the maps of {clean(config.classifier)}, and what is "
                "measured here are a CLIP's. Leave the option out, or name another --run."
            )
        paths = paths_of(config)
        with console.status("loading the network"):
            clip = load_clip(
                config.model,
                config.pretrained,
                config.weights,
                image_size=config.image_size,
                device=device,
            )
        with (
            stop_on_signals(lambda: _say(console, "stopping after this batch")) as stopping,
            Bars(console) as bars,
        ):
            measure_store(engine, run, config, clip, bars, stopping)
            lost = measure_sample(
                engine,
                run,
                config,
                clip,
                paths,
                count,
                batch_size=batch_size,
                progress=bars,
                stopping=stopping,
            )
    except (Stopped, KeyboardInterrupt):
        stopped = True
    finally:
        finish(engine)
    if lost:
        _say(console, f"{lost:,} images left out: gone, unreadable or changed since the run")
    if stopped:
        _say(console, "stopped; finished batches are stored. The same command goes on from there.")
    return not stopped


def _say(console: Console, text: str) -> None:
    console.print(clean(text), highlight=False, markup=False, soft_wrap=True)
