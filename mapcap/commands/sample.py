"""`mapcap sample`: the built-in photos as a folder, or the test bed with planted faults."""

from pathlib import Path
from typing import Annotated

import typer

from mapcap import show
from mapcap.commands.base import Json, errors, print_page
from mapcap.errors import UserError


def sample(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new or empty folder.")],
    planted: Annotated[
        bool, typer.Option("--planted", help="Render a test bed with known faults instead.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Of --planted: what goes where; 0 if not given.")
    ] = None,
    per_class: Annotated[
        int | None,
        typer.Option(metavar="M", help="Of --planted: pictures a class; 40 if not given."),
    ] = None,
    json: Json = False,
) -> None:
    """Copy the built-in photos, their boxes and their licence into a folder.

    With --planted, render ten classes in which it is known what is wrong: one on dark backgrounds,
    one with a mark in the corner, one with wrong labels, two that differ only in colour. truth.json
    says where; scripts/score_planted.py compares an audit with it.

    [cyan]mapcap sample --planted --out planted --seed 0[/]
    """
    if planted:
        _planted(out, 0 if seed is None else seed, per_class, json)
        return
    for option, value in (("--seed", seed), ("--per-class", per_class)):
        if value is not None:
            raise UserError(f"{option} {value} belongs to --planted: add it or leave this out")
    from mapcap.sample import copy_sample

    copied = copy_sample(out)
    if json:
        show.print_json({"out": str(out), "pictures": copied})
        return
    print_page(show.safe(f"{copied} pictures in {out}"))


def _planted(out: Path, seed: int, per_class: int | None, json: bool) -> None:
    """Render the test bed and say what is planted in it."""
    from mapcap.planted.folder import PER_CLASS, write_planted

    with errors().status("rendering"):
        truth = write_planted(out, seed, PER_CLASS if per_class is None else per_class)
    faults = {name: one.fault for name, one in truth.classes.items() if one.fault is not None}
    if json:
        page = {"out": str(out), "pictures": len(truth.images), "seed": seed, "faults": faults}
        show.print_json(page)
        return
    planted = ", ".join(f"{name} ({fault})" for name, fault in faults.items())
    print_page(show.safe(f"{len(truth.images)} pictures in {out}; planted: {planted}"))
