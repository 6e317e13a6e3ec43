"""Score an audit on the planted test bed: which faults it found, and where the relevance fell.

    python scripts/score_planted.py DB truth.json [--json]
    python scripts/score_planted.py --seeds 0-4 [--out DIR] [--json]

The second form renders, indexes with the embedded networks and scores each seed, and prints one
table. What is in DIR from an earlier call is used again.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from db import queries
from db.engine import open_read
from db.errors import StoreError
from mapcap.errors import UserError
from mapcap.text import clean
from scripts.planted.folder import PER_CLASS, write_planted
from scripts.planted.plan import FAULTS
from scripts.planted.scoring import FaultScore, Reported, Score, score, share_on
from scripts.planted.truth import TRUTH, Truth, read_truth

_EVERY_IMAGE = 10**6


@dataclass(frozen=True)
class Shares:
    """Mean share of the relevance on something against its mean share of the picture's area."""

    relevance: float | None
    area: float | None
    images: int


@dataclass(frozen=True)
class Result:
    """The score of one file."""

    seed: int
    accuracy: float | None
    controls: tuple[str, ...]
    """The classes in which nothing is planted."""
    score: Score
    mark: Shares
    object: Shares

    @property
    def alarms_in_controls(self) -> int:
        """Return how many of the false alarms are in classes in which nothing is planted."""
        return sum(class_name in self.controls for class_name, _ in self.score.false_alarms)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values."""
        suspicion = self.score.suspicion
        return {
            "seed": self.seed,
            "accuracy": self.accuracy,
            "kinds": len(FAULTS),
            "kinds_found": list(self.score.kinds_found()),
            "faults": [asdict(one) | {"found": one.found} for one in self.score.faults],
            "labels": asdict(suspicion)
            | {"precision": suspicion.precision, "recall": suspicion.recall},
            "controls": list(self.controls),
            "alarms_in_controls": self.alarms_in_controls,
            "false_alarms": [list(one) for one in self.score.false_alarms],
            "relevance_on_mark": asdict(self.mark),
            "relevance_on_object": asdict(self.object),
        }


def score_file(db: Path, truth: Truth) -> Result:
    """Score the newest run of a file.

    Raises:
        StoreError: for a file that cannot be used.
        UserError: for a run of other images, or one that was not audited.
    """
    engine = open_read(db)
    run = queries.latest_run(engine)
    classes = queries.classes(engine, run.id)
    if queries.pending_audit(engine, run.id):
        raise UserError(f"{db}: not every class was audited: run its `mapcap index` again")
    reported: dict[str, list[Reported]] = {}
    paths: dict[int, str] = {}
    for found in classes:
        images = queries.images(engine, found.id, limit=_EVERY_IMAGE)
        paths |= {image.id: image.path for image in images}
        reported[found.name] = [
            Reported(
                one.kind,
                one.title,
                one.figures,
                [
                    image.path
                    for image in queries.finding_images(engine, one.id, limit=_EVERY_IMAGE)
                ],
                one.is_note,
            )
            for one in queries.findings(engine, found.id)
        ]
    if set(paths.values()) != set(truth.images):
        raise UserError(f"{db}: its images are not those of {TRUTH}: index the folder beside it")
    grids = {
        paths[image_id]: maps["true"].grid
        for image_id, maps in queries.relevances(engine, list(paths)).items()
        if "true" in maps
    }
    predicted = sum(found.predicted for found in classes)
    return Result(
        truth.seed,
        sum(found.correct for found in classes) / predicted if predicted else None,
        tuple(name for name, planted in truth.classes.items() if planted.fault is None),
        score(truth, reported),
        _shares(
            [(grids[path], truth.mark_mask(path)) for path in grids if truth.images[path].mark]
        ),
        _shares([(grids[path], truth.object_mask(path)) for path in grids]),
    )


def _shares(pairs: Sequence[tuple[Any, Any]]) -> Shares:
    """Return the mean shares of relevance and of area over grids and masks."""
    on_it = [(share_on(grid, mask), float(mask.mean())) for grid, mask in pairs]
    known = [(share, area) for share, area in on_it if share is not None]
    if not known:
        return Shares(None, None, 0)
    relevance, area = np.mean(known, axis=0)
    return Shares(float(relevance), float(area), len(known))


def score_seeds(seeds: Sequence[int], folder: Path, per_class: int) -> list[Result]:
    """Render, index and score each seed, in sub-folders and files of `folder`."""
    results = []
    for seed in seeds:
        pictures, db = folder / f"seed-{seed}", folder / f"seed-{seed}.db"
        if not (pictures / TRUTH).exists():
            write_planted(pictures, seed, per_class)
        truth = read_truth(pictures / TRUTH)
        if (truth.seed, len(truth.images)) != (seed, per_class * len(truth.classes)):
            raise UserError(f"{pictures} holds another test bed: name another --out")
        command = ["index", str(pictures), "--db", str(db), "--boxes", str(pictures / "boxes.tsv")]
        subprocess.run([sys.executable, "-m", "mapcap", *command], check=True, stdout=sys.stderr)
        results.append(score_file(db, truth))
    return results


def print_results(console: Console, results: Sequence[Result]) -> None:
    """Print one row for each file, then what was missed and what was alarmed falsely."""
    table = Table(title="planted faults among the first three findings of their class")
    for heading in ("seed", "accuracy", *FAULTS, "found", "suspects right"):
        table.add_column(heading, justify="left" if heading in FAULTS else "right")
    table.add_column("false alarms (in controls)", justify="right")
    table.add_column("relevance on mark (area)", justify="right")
    table.add_column("on object (area)", justify="right")
    for result in results:
        table.add_row(*_row(result))
    console.print(table)
    found = sum(len(result.score.kinds_found()) for result in results)
    console.print(f"{found} of {len(results) * len(FAULTS)} planted kinds of fault found")
    for result in results:
        for one in result.score.faults:
            if not one.found:
                console.print(f"seed {result.seed}: missed {one.fault} of {one.class_name}")
        for class_name, title in result.score.false_alarms:
            text = f"seed {result.seed}: false alarm in {class_name}: {clean(title)}"
            console.print(text, markup=False, highlight=False, soft_wrap=True)


def _row(result: Result) -> list[str]:
    cells = []
    for fault in FAULTS:
        ones = [one for one in result.score.faults if one.fault == fault]
        places = [_place(one) for one in ones]
        cells.append(f"{' / '.join(places)} {' / '.join(one.class_name for one in ones)}")
    suspicion = result.score.suspicion
    return [
        str(result.seed),
        "-" if result.accuracy is None else f"{result.accuracy:.2f}",
        *cells,
        f"{len(result.score.kinds_found())} of {len(FAULTS)}",
        f"{suspicion.right} of {suspicion.named}, of {suspicion.wrong_labels} wrong",
        f"{len(result.score.false_alarms)} ({result.alarms_in_controls})",
        *(_said(shares) for shares in (result.mark, result.object)),
    ]


def _place(one: FaultScore) -> str:
    """Return the position of what says a fault, and that of a random order."""
    return "-" if one.position is None else f"{one.position} (random {one.at_random:.1f})"


def _said(shares: Shares) -> str:
    if shares.relevance is None or shares.area is None:
        return "-"
    return f"{shares.relevance:.3f} ({shares.area:.3f})"


def seed_range(text: str) -> list[int]:
    """Parse `3` or `0-4`."""
    found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", text)
    seeds = list(range(int(found[1]), int(found[2] or found[1]) + 1)) if found else []
    if not seeds:
        raise argparse.ArgumentTypeError(f"{text}: give one seed or a range, such as 3 or 0-4")
    return seeds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="score_planted.py", description=__doc__.split("\n")[0])
    parser.add_argument("db", type=Path, nargs="?", help="a file that `mapcap index` filled")
    parser.add_argument("truth", type=Path, nargs="?", help="truth.json beside the pictures")
    parser.add_argument("--seeds", type=seed_range, help="render, index and score these: 3, 0-4")
    parser.add_argument("--out", type=Path, help="folder for --seeds; a temporary one if not given")
    parser.add_argument("--per-class", type=int, default=PER_CLASS, help="pictures a class")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if (options.seeds is None) == (options.truth is None):
        parser.error("give DB and truth.json, or --seeds")
    try:
        if options.seeds is None:
            results = [score_file(options.db, read_truth(options.truth))]
        elif options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            results = score_seeds(options.seeds, options.out, options.per_class)
        else:
            with tempfile.TemporaryDirectory() as folder:
                results = score_seeds(options.seeds, Path(folder), options.per_class)
    except (UserError, StoreError) as error:
        print(f"score_planted: {clean(str(error))}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    if options.json:
        print(json.dumps([result.as_json() for result in results], indent=2))
    else:
        print_results(Console(width=None if sys.stdout.isatty() else 200), results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
