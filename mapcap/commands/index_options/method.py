"""Options of `mapcap index`: how maps, regions and summaries are made; the audit's concepts."""

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Method"

Representation = Annotated[
    str,
    typer.Option(
        help="pooled, or the poster's crop, mask, mask-all, blur, weighted.",
        rich_help_panel=_PANEL,
    ),
]

Relevance = Annotated[
    str,
    typer.Option(
        help="chefer, legrad, rollout, gradcam, value, or occlusion (slow). Convolutional "
        "towers (ResNet, ConvNeXt) have no attention for the first three.",
        rich_help_panel=_PANEL,
    ),
]

RelevanceStartLayer = Annotated[
    int,
    typer.Option(
        metavar="L",
        help="First layer of the relevance; -1: the last alone.",
        rich_help_panel=_PANEL,
    ),
]

Regions = Annotated[
    int, typer.Option(metavar="K", help="At most K regions a map.", rich_help_panel=_PANEL)
]

Threshold = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help="What of a map is a region: mean (above its mean), half (above half of its "
        "range) or mass:Q (the share Q of its relevance). Default: mean; preset poster: half.",
        rich_help_panel=_PANEL,
    ),
]

Sentences = Annotated[
    int,
    typer.Option(metavar="K", help="Length of the summary shown first.", rich_help_panel=_PANEL),
]

Redundancy = Annotated[
    float,
    typer.Option(
        "--redundancy-penalty",
        metavar="X",
        help="Lambda: weight of what a sentence repeats.",
        rich_help_panel=_PANEL,
    ),
]

MaxSentences = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="At most N distinct captions a class in the PMI.",
        rich_help_panel=_PANEL,
    ),
]

KeepArtefacts = Annotated[
    bool | None,
    typer.Option(
        "--keep-artefact-captions/--no-keep-artefact-captions",
        help="Whether captions that describe the image rather than its content (background, "
        "blur) may stand in summaries. Default: no; preset poster: yes.",
        rich_help_panel=_PANEL,
    ),
]

ClassFrequency = Annotated[
    bool | None,
    typer.Option(
        "--idf/--no-idf",
        help="Whether relevance is weighted by the inverse document frequency over classes. "
        "Default: yes; preset poster: no.",
        rich_help_panel=_PANEL,
    ),
]

Concepts = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Terms of your field, one a line, that the audit looks for in the photos beside "
        "its own vocabulary.",
        rich_help_panel=_PANEL,
    ),
]
