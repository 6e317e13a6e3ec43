"""Render the test bed: ten classes in which it is known what is wrong, and truth.json.

    python -m scripts.planted OUT [--seed N] [--per-class M] [--json]

One class is on dark backgrounds, one has a mark in the corner, one wrong labels, and two differ
only in colour. `python -m scripts.score_planted DB OUT/truth.json` compares an audit with it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from mapcap.errors import UserError
from mapcap.text import clean
from scripts.planted.folder import PER_CLASS, write_planted
from scripts.planted.truth import Truth


def main(arguments: Sequence[str] | None = None) -> int:
    """Render, say what is planted, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=0, help="what goes where (default %(default)s)")
    parser.add_argument(
        "--per-class", type=int, default=PER_CLASS, help="images a class (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    try:
        truth = write_planted(given.out, given.seed, given.per_class)
    except UserError as error:
        print(clean(str(error)), file=sys.stderr)
        return 2
    print(_json(given.out, truth) if given.json else clean(_text(given.out, truth)))
    return 0


def _faults(truth: Truth) -> dict[str, str]:
    return {name: of.fault for name, of in truth.classes.items() if of.fault is not None}


def _json(out: Path, truth: Truth) -> str:
    page = {"out": str(out), "images": len(truth.images), "seed": truth.seed}
    return json.dumps({**page, "faults": _faults(truth)}, indent=2)


def _text(out: Path, truth: Truth) -> str:
    planted = ", ".join(f"{name} ({fault})" for name, fault in _faults(truth).items())
    return f"{len(truth.images)} images in {out}; planted: {planted}"


if __name__ == "__main__":
    sys.exit(main())
