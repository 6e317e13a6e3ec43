"""Options of `mapcap index`: where a run goes and how it is computed."""

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Running"

Db = Annotated[Path, typer.Option("--db", metavar="FILE", help="The SQLite file to fill.")]

Log = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also write what happens to this file, for a night's run.",
        rich_help_panel=_PANEL,
    ),
]

Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.", rich_help_panel=_PANEL)
]

Dtype = Annotated[
    str,
    typer.Option(
        help="auto, float32, bfloat16 or float16: in what CLIP's vision tower runs forward. "
        "auto: half precision on CUDA; attention, gradients and sums are float32 always. bfloat16: "
        "the language model's layers, too, on a CPU that multiplies it in hardware.",
        rich_help_panel=_PANEL,
    ),
]

BatchSize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Images in a batch, always. Default: 64 at first; more on CUDA while that fits "
        "and pays, fewer where the memory of the device runs out.",
        rich_help_panel=_PANEL,
    ),
]

Engine = Annotated[
    str,
    typer.Option(
        help="local: this process computes. ray: actors of a Ray cluster do, and this process "
        "writes (needs the extra ray).",
        rich_help_panel=_PANEL,
    ),
]

Actors = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="With --engine ray: how many actors. Default: one for each GPU.",
        rich_help_panel=_PANEL,
    ),
]

Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="With --engine ray: the cluster to join, or auto for the one of this machine. "
        "Default: one of this machine alone, started for the run.",
        rich_help_panel=_PANEL,
    ),
]

DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Say what a run would take: downloads, disk, memory and, where the networks are "
        "here, time as two batches show it. FILE is not touched, and nothing is fetched.",
        rich_help_panel=_PANEL,
    ),
]
