"""Score an audit on a bed of planted faults: which it names, and what it names where nothing is.

    python -m scripts.score_planted DB truth.json [--clean CLEAN.db] [--json]
    python -m scripts.score_planted --seeds 0-4 [--photos PHOTOS] [--out DIR] [--json]

The first form scores a file that `mapcap index` filled. A bed of photos (`scripts.plant_faults`)
is held against CLEAN.db, the index of what `scripts.plant_faults --without-faults` writes. The
second form renders the synthetic bed (`scripts.planted`), or plants faults in PHOTOS, indexes with
the embedded networks and scores each seed, and prints one table. What is in DIR from an earlier
call is used again.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from db.errors import StoreError
from mapcap.datasets.scan import scan
from mapcap.errors import UserError
from mapcap.text import clean
from scripts.plant_faults import plant, write_again
from scripts.planted.folder import PER_CLASS, write_planted
from scripts.planted.photo_scoring import PhotoScore, score_photos
from scripts.planted.photo_table import plain, print_photo_scores
from scripts.planted.photo_truth import is_of_photos, read_photo_truth
from scripts.planted.reading import read_audited
from scripts.planted.rendered_table import Result, print_results, score_rendered
from scripts.planted.truth import TRUTH, read_truth


def score_rendered_seeds(seeds: Sequence[int], folder: Path, per_class: int) -> list[Result]:
    """Render, index and score each seed, in sub-folders and files of `folder`."""
    results = []
    for seed in seeds:
        pictures, db = folder / f"seed-{seed}", folder / f"seed-{seed}.db"
        if not (pictures / TRUTH).exists():
            write_planted(pictures, seed, per_class)
        truth = read_truth(pictures / TRUTH)
        if (truth.seed, len(truth.images)) != (seed, per_class * len(truth.classes)):
            raise UserError(f"{pictures} holds another test bed: name another --out")
        _index(pictures, db, "--boxes", str(pictures / "boxes.tsv"))
        results.append(score_rendered(read_audited(db), truth))
    return results


def score_photo_seeds(seeds: Sequence[int], folder: Path, photos: Path) -> list[PhotoScore]:
    """Index the photos; plant each seed's faults in them, index that and score it.

    Both are written in the same way: that a photo went through a JPEG once more moves predictions.
    """
    dataset = scan(str(photos))
    if not (folder / "clean").exists():
        write_again(dataset, folder / "clean")
    _index(folder / "clean", folder / "clean.db")
    clean_run = read_audited(folder / "clean.db")
    scores = []
    for seed in seeds:
        planted, db = folder / f"photos-{seed}", folder / f"photos-{seed}.db"
        if not (planted / TRUTH).exists():
            plant(dataset, planted, seed)
        truth = read_photo_truth(planted / TRUTH)
        if truth.seed != seed:
            raise UserError(f"{planted} holds another test bed: name another --out")
        _index(planted, db)
        scores.append(score_photos(truth, read_audited(db), clean_run))
    return scores


def _index(pictures: Path, db: Path, *more: str) -> None:
    command = [sys.executable, "-m", "mapcap", "index", str(pictures), "--db", str(db), *more]
    subprocess.run(command, check=True, stdout=sys.stderr)


def seed_range(text: str) -> list[int]:
    """Parse `3` or `0-4`."""
    found = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", text)
    seeds = list(range(int(found[1]), int(found[2] or found[1]) + 1)) if found else []
    if not seeds:
        raise argparse.ArgumentTypeError(f"{text}: give one seed or a range, such as 3 or 0-4")
    return seeds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="score_planted",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("db", type=Path, nargs="?", help="a file that `mapcap index` filled")
    parser.add_argument("truth", type=Path, nargs="?", help="truth.json beside the pictures")
    parser.add_argument("--clean", type=Path, help="the index of the photos without faults")
    parser.add_argument("--seeds", type=seed_range, help="make, index and score these: 3, 0-4")
    parser.add_argument("--photos", type=Path, help="photos to plant faults in, for --seeds")
    parser.add_argument("--out", type=Path, help="folder for --seeds; a temporary one if not given")
    parser.add_argument(
        "--per-class", type=int, default=PER_CLASS, help="rendered pictures a class"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if (options.seeds is None) == (options.truth is None):
        parser.error("give DB and truth.json, or --seeds")
    try:
        results, scores = _scored(options)
    except (UserError, StoreError) as error:
        print(f"score_planted: {clean(str(error))}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    if options.json:
        values = [*(result.as_json() for result in results), *map(plain, scores)]
        print(json.dumps(values, indent=2))
        return 0
    console = Console(width=None if sys.stdout.isatty() else 200)
    if results:
        print_results(console, results)
    if scores:
        print_photo_scores(console, scores)
    return 0


def _scored(options: argparse.Namespace) -> tuple[list[Result], list[PhotoScore]]:
    """Return the scores of rendered beds and of beds of photos."""
    if options.seeds is None:
        return _scored_file(options.db, options.truth, options.clean)
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _scored_seeds(options, Path(folder))
    options.out.mkdir(parents=True, exist_ok=True)
    return _scored_seeds(options, options.out)


def _scored_file(
    db: Path, truth: Path, clean_db: Path | None
) -> tuple[list[Result], list[PhotoScore]]:
    if not is_of_photos(truth):
        return [score_rendered(read_audited(db), read_truth(truth))], []
    stated = read_photo_truth(truth)
    if clean_db is None:
        raise UserError("a bed of photos: name the index of the photos without faults by --clean")
    return [], [score_photos(stated, read_audited(db), read_audited(clean_db))]


def _scored_seeds(
    options: argparse.Namespace, folder: Path
) -> tuple[list[Result], list[PhotoScore]]:
    if options.photos is None:
        return score_rendered_seeds(options.seeds, folder, options.per_class), []
    return [], score_photo_seeds(options.seeds, folder, options.photos)


if __name__ == "__main__":
    sys.exit(main())
