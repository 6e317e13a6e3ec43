"""Check how MapCap reads the vision towers of open_clip: each is built small, and measured.

    python -m scripts.check_towers [--family F ...] [--model M ...] [--json]

Each architecture of open_clip's table is built at its own width and kind with two layers (or one
block a stage), a small image, random weights and a small text tower in the place of its own. The
columns are largest differences, relative to the largest number.

forward   features from the last layer on, and with all attention in the open, against encode_image
all       `pooled` over all that the head reads, against encode_image
patches   `pooled` over all patches alone: `all`, but where a class token is among the keys
map       Chefer's map over all layers, and of the last, against another computation in float64;
          of convolutions Grad-CAM

1e-4 or less in all but `patches` passes. The status is 1 if a tower with published weights fails.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import open_clip
from rich.console import Console
from rich.table import Table

from scripts.check_towers.building import family_of
from scripts.check_towers.measuring import Row, measure


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table or JSON lines, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", nargs="+", help="only these kinds of tower")
    parser.add_argument("--model", nargs="+", help="only these architectures")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each")
    given = parser.parse_args(arguments)
    names = given.model or open_clip.list_models()
    families = {family.lower() for family in given.family or []}
    names = [n for n in names if not families or family_of(n).lower() in families]
    rows = []
    for name in names:
        began = time.perf_counter()
        rows.append(measure(name))
        if given.json:
            print(json.dumps(asdict(rows[-1]) | {"passes": rows[-1].passes}), flush=True)
        else:
            print(f"{name} {time.perf_counter() - began:.1f} s", file=sys.stderr)
    if not given.json:
        _print(rows)
    return int(any(row.tags and not row.passes for row in rows))


def _print(rows: Sequence[Row]) -> None:
    console = Console(width=max(110, Console().width))
    columns = ("forward", "all", "patches", "map")
    table = Table("family", "reading", "architectures", "tags", *columns, "fails", box=None)
    for key in dict.fromkeys((row.family, row.reading) for row in rows):
        group = [row for row in rows if (row.family, row.reading) == key]
        figures = [[f for row in group if (f := getattr(row, c)) is not None] for c in columns]
        worst = [f"{max(each):.0e}" if each else "" for each in figures]
        fails = [f"{row.name}: {row.fault or 'differs'}" for row in group if not row.passes]
        tags = sum(row.tags for row in group)
        table.add_row(*key, str(len(group)), str(tags), *worst, "; ".join(fails))
    console.print(table)
    passing = [row for row in rows if row.passes]
    tags = sum(row.tags for row in passing)
    console.print(
        f"{len(passing)} of {len(rows)} architectures pass, with {tags} of "
        f"{sum(row.tags for row in rows)} published weights"
    )


if __name__ == "__main__":
    sys.exit(main())
