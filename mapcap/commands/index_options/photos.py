"""Options of `mapcap index`: what photos there are, and of what."""

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Photos"

Photos = Annotated[
    str,
    typer.Argument(
        metavar="PHOTOS",
        help="A folder of class folders, the TinyImageNet layout, a table (CSV, TSV, JSON "
        "lines, Parquet) with columns path and class, or the word sample: the built-in "
        "photos.",
    ),
]

Names = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="TSV or CSV: folder name, class name.", rich_help_panel=_PANEL
    ),
]

ClassLevel = Annotated[
    str | None,
    typer.Option(
        metavar="LEVEL",
        help="Which folders are the classes where PHOTOS can be read in two ways: top (its "
        "own) or leaf (those that images lie in).",
        rich_help_panel=_PANEL,
    ),
]

Unlabelled = Annotated[
    bool,
    typer.Option(
        "--unlabelled",
        help="No folder of PHOTOS is a class: those that --predictions names are the classes. "
        "Default where images lie in PHOTOS itself.",
        rich_help_panel=_PANEL,
    ),
]

Boxes = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A table of file, x0, y0, x1, y1.", rich_help_panel=_PANEL),
]

BoxFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FORM",
        help="What the four numbers of a box are: xyxy (corners), xywh (corner, width, height) "
        "or cxcywh (centre, width, height). Default: as columns and numbers tell.",
        rich_help_panel=_PANEL,
    ),
]

BoxUnits = Annotated[
    str | None,
    typer.Option(
        metavar="UNITS",
        help="Whether boxes are in pixels or in shares of the photo's sides. Default: as the "
        "numbers tell.",
        rich_help_panel=_PANEL,
    ),
]

LimitPerClass = Annotated[
    int | None,
    typer.Option(metavar="N", help="At most N images of a class.", rich_help_panel=_PANEL),
]
