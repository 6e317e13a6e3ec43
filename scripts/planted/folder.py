"""Render the test bed into a folder."""

import csv
import shutil
from pathlib import Path
from typing import Final

from PIL import Image

from mapcap.datasets.sample import sample_path, take_empty_folder
from mapcap.errors import UserError
from scripts.planted.casts import CASTS, cutouts_path, load_cast
from scripts.planted.plan import make_plan
from scripts.planted.render import SIZE, Rendered, render
from scripts.planted.truth import TRUTH, ImageTruth, Truth, class_truths, image_truth, write_truth

PER_CLASS: Final = 40
_FEWEST, _MOST = 10, 999
_QUALITY = 90


def write_planted(out: Path, seed: int, per_class: int = PER_CLASS) -> Truth:
    """Render class folders, `boxes.tsv`, `truth.json` and the notices into an empty folder.

    The same seed and number give the same bytes. Each class folder holds `per_class` pictures of
    160 x 160 pixels.

    Raises:
        UserError: for a number or a folder that cannot be used.
    """
    if not _FEWEST <= per_class <= _MOST:
        raise UserError(f"--per-class {per_class}: give {_FEWEST} to {_MOST} pictures a class")
    if seed < 0:
        raise UserError(f"--seed {seed}: a seed is 0 or more")
    take_empty_folder(out)
    plan = make_plan(seed, per_class)
    cutouts = {name: load_cast(cast) for name, cast in CASTS.items()}
    images: dict[str, ImageTruth] = {}
    try:
        for picture in plan.pictures:
            rendered = render(plan, picture, cutouts[picture.shown])
            _save(out / picture.file, rendered)
            images[picture.file] = image_truth(picture, rendered)
        truth = Truth(seed, SIZE, class_truths(plan), images)
        write_truth(out / TRUTH, truth)
        _write_boxes(out / "boxes.tsv", images)
        shutil.copyfile(cutouts_path() / "NOTICE.md", out / "NOTICE.md")
        shutil.copyfile(sample_path() / "LICENSE.GPL-2", out / "LICENSE.GPL-2")
    except OSError as error:
        raise UserError(
            f"--out {out}: the pictures cannot be written there ({error}): name another folder"
        ) from error
    return truth


def _save(path: Path, rendered: Rendered) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(rendered.image).save(path, quality=_QUALITY, method=4)


def _write_boxes(path: Path, images: dict[str, ImageTruth]) -> None:
    """Write the objects' boxes as `mapcap index --boxes` reads them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(("file", "x0", "y0", "x1", "y1"))
        writer.writerows((name, *images[name].box) for name in sorted(images))
