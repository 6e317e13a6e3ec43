"""Options of `mapcap index`: predictions of a person's own classifier."""

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Your own classifier"

Predictions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your classifier's predictions, in place of the CLIP's: CSV, TSV, JSON lines or "
        "Parquet with the columns path and prediction (and confidence, or top1 prob1 top2 ..., "
        "or one for each class), or a matrix .npy, .npz or .safetensors.",
        rich_help_panel=_PANEL,
    ),
]

PredictionPaths = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The photo of each row of --predictions, one a line.",
        rich_help_panel=_PANEL,
    ),
]

ClassOrder = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What class numbers in --predictions, or rows of --class-weights without names, "
        "mean: the classes from 0 on, one a line. "
        "Default: the class folders sorted as torchvision and Keras do.",
        rich_help_panel=_PANEL,
    ),
]

ClassWeights = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your linear probe or fine-tuned head on the CLIP's image features, in place of "
        "class texts: .safetensors or .npy, classes x width, and perhaps a bias.",
        rich_help_panel=_PANEL,
    ),
]

Features = Annotated[
    str,
    typer.Option(
        help="What --class-weights takes of the CLIP: normalised or raw.",
        rich_help_panel=_PANEL,
    ),
]

Classifier = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Your network, in place of the CLIP: timm:NAME (pretrained), timm:NAME|FILE (a "
        "checkpoint), hf:NAME or hf:FOLDER. Maps are its own; the CLIP puts them in words.",
        rich_help_panel=_PANEL,
    ),
]
