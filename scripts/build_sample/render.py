"""Render the built-in sample from Tux Paint's stamps: pictures, boxes and where each came from."""

import argparse
import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.build_sample.scenes import SCENES
from scripts.rendering.compose import KINDS, Composite, background, compose, load_cutout

STAMPS_TABLE = Path(__file__).with_name("stamps.tsv")
SIZE = 160
QUALITY = 88
LARGEST_ENLARGEMENT = 2.4  # small stamps turn soft beyond this


@dataclass(frozen=True)
class Picture:
    """One picture to render: its class and file name, its stamp and its kind of background."""

    class_name: str
    name: str
    stamp: str
    kind: str

    @property
    def file(self) -> str:
        """Return `class/name` as the tables write it."""
        return f"{self.class_name}/{self.name}"


def read_stamps(path: Path = STAMPS_TABLE) -> dict[str, list[str]]:
    """Read the table of stamps: class -> stamp paths below the stamps folder, in its order."""
    stamps: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            stamps.setdefault(row["class"], []).append(row["stamp"])
    return stamps


def plan(stamps: dict[str, list[str]]) -> list[Picture]:
    """Say which stamp goes before which background, in the order of the classes' names."""
    pictures = []
    for class_name, scene in sorted(SCENES.items()):
        used: dict[str, int] = {}
        for stamp, kind in zip(cycle(stamps[class_name]), scene.kinds, strict=False):
            stem = stem_of(stamp)
            used[stem] = used.get(stem, 0) + 1
            name = picture_name(stem, used[stem])
            pictures.append(Picture(class_name, name, stamp, kind))
    return pictures


def stem_of(stamp: str) -> str:
    """Name a stamp without its number: `planets/3_earth.png` is `earth`, `lion-2.png` is `lion`."""
    stem = re.sub(r"^\d+_|-\d+$", "", Path(stamp).stem)
    return stem.replace("_", "-").lower()


def picture_name(stem: str, turn: int) -> str:
    """Name the picture of this stem's turn, counted from 1: `earth.webp`, `earth-2.webp`."""
    return f"{stem}.webp" if turn == 1 else f"{stem}-{turn}.webp"


def may_mirror(stamp: Path) -> bool:
    """Tell whether a stamp may be mirrored: Tux Paint marks the ones that may not."""
    notes = stamp.with_suffix(".dat")
    if notes.exists() and "nomirror" in notes.read_text(encoding="utf-8"):
        return False
    return not stamp.with_name(f"{stamp.stem}_mirror.png").exists()


def render(picture: Picture, stamps: Path, seed: int) -> Composite:
    """Render one picture; the same seed and file name give the same pixels."""
    key = hashlib.sha256(f"{seed}/{picture.file}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key[:8], "big"))
    scene, path = SCENES[picture.class_name], stamps / picture.stamp
    cutout = load_cutout(path)
    enlarged = LARGEST_ENLARGEMENT * max(cutout.shape[:2]) / SIZE
    return compose(
        cutout,
        background(picture.kind, SIZE, rng),
        rng,
        min(rng.uniform(*scene.scale), enlarged),
        shadow=KINDS[picture.kind].shadow,
        mirror=may_mirror(path),
        rotation=scene.rotation,
    )


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a tab separated table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_sample(stamps: Path, out: Path, seed: int) -> int:
    """Render every picture below `out` with `boxes.tsv` and `sources.tsv`; return how many.

    Pictures of an earlier rendering are removed; notices and other files in `out` are left alone.
    """
    for class_name in SCENES:
        for old in (out / class_name).glob("*.webp"):
            old.unlink()
    boxes: list[tuple[str, int, int, int, int]] = []
    sources: list[tuple[str, str, str]] = []
    for picture in plan(read_stamps()):
        image, _, box = render(picture, stamps, seed)
        target = out / picture.file
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(target, quality=QUALITY, method=6)
        boxes.append((picture.file, *box))
        sources.append((picture.file, picture.stamp, picture.kind))
    write_table(out / "boxes.tsv", ("file", "x0", "y0", "x1", "y1"), boxes)
    write_table(out / "sources.tsv", ("file", "stamp", "background"), sources)
    return len(boxes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.build_sample", description=__doc__)
    parser.add_argument(
        "--stamps",
        type=Path,
        default=Path("/usr/share/tuxpaint/stamps"),
        help="the stamps folder of the Debian package tuxpaint-stamps-default",
    )
    parser.add_argument("--out", type=Path, default=Path("mapcap/data/sample"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not options.stamps.is_dir():
        parser.error(f"no stamps at {options.stamps}: README.md beside this script says how to get")
    count = write_sample(options.stamps, options.out, options.seed)
    print(f"{count} pictures in {options.out}")
