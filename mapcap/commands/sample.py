"""`mapcap sample`: the built-in photos as a folder."""

from pathlib import Path
from typing import Annotated

import typer

from mapcap import show
from mapcap.commands.base import Json, print_page


def sample(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new or empty folder.")],
    json: Json = False,
) -> None:
    """Copy the built-in photos, their boxes and their licence into a folder."""
    from mapcap.sample import copy_sample

    copied = copy_sample(out)
    if json:
        show.print_json({"out": str(out), "pictures": copied})
        return
    print_page(show.safe(f"{copied} pictures in {out}"))
