"""`mapcap sample`: the built-in photos as a folder."""

from pathlib import Path
from typing import Annotated

import typer

from mapcap.commands.base import Json, print_page
from mapcap.printing import pages
from mapcap.printing.tables import safe


def sample(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new or empty folder.")],
    json: Json = False,
) -> None:
    """Copy the built-in images, their boxes and their licence into a folder."""
    from mapcap.datasets.sample import copy_sample

    copied = copy_sample(out)
    if json:
        pages.print_json({"out": str(out), "images": copied})
        return
    print_page(safe(f"{copied} images in {out}"))
