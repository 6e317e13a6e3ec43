"""Plant known faults in a labelled folder of photos, for the audit to find, with the truth.

    python -m scripts.plant_faults PHOTOS --out DIR [--seed N]

PHOTOS is all that `mapcap index` takes. DIR gets a folder a class and `truth.json`: the fault of
each class (null for a control) and what was done to each photo. Half the photos of a class get its
logo, blur, border and so on; every photo is written again as JPEG, so that no fault is told by its
compression. `--without-faults` writes the same photos in the same way and plants nothing: what an
audit of them finds is the photos' own.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from mapcap.datasets import Dataset, Place, read_image
from mapcap.datasets.sample import take_empty_folder
from mapcap.datasets.scan import scan
from mapcap.errors import UserError
from mapcap.text import clean

TRUTH: Final = "truth.json"
_QUALITY = 92
_SHARE = 0.5
"""Share of a class's photos that a fault of the photo falls on."""
_SWAPPED = (0.05, 0.5)
"""Least and most of two classes' photos that are swapped."""
_COPIES = 0.2
"""Share of a class's photos that are in another class as well."""


def _logo(photo: Image.Image) -> Image.Image:
    side = max(4, min(photo.size) // 7)
    marked = photo.copy()
    marked.paste((225, 25, 195), (2, 2, 2 + side, 2 + side))
    return marked


def _small(photo: Image.Image) -> Image.Image:
    """Return the photo at a third of its size, with its own blurred surroundings around it."""
    width, height = photo.size
    around = photo.filter(ImageFilter.GaussianBlur(min(photo.size) / 8))
    around.paste(photo.resize((width // 3, height // 3)), (width // 3, height // 3))
    return around


def _bordered(photo: Image.Image) -> Image.Image:
    edge = max(2, min(photo.size) // 12)
    inner = photo.resize((photo.width - 2 * edge, photo.height - 2 * edge))
    return ImageOps.expand(inner, edge, (30, 60, 200))


PHOTO_FAULTS: Final[Mapping[str, Callable[[Image.Image], Image.Image]]] = {
    "logo": _logo,
    "grey": lambda photo: photo.convert("L").convert("RGB"),
    "blurred": lambda photo: photo.filter(ImageFilter.GaussianBlur(min(photo.size) / 40)),
    "dark": lambda photo: ImageEnhance.Brightness(photo).enhance(0.25),
    "zoomed out": _small,
    "border": _bordered,
}
_PAIRED: Final = ("swapped labels", "exchanged names", "duplicates")
_TWO_NAMES: Final = "two names"
CLASSES: Final = len(PHOTO_FAULTS) + 2 * len(_PAIRED) + 1
"""Classes that have a fault; the others are controls."""


@dataclass(frozen=True)
class Planted:
    """A photo as it is written: where, from which of PHOTOS, its true class, and what was done."""

    path: str
    source: str
    true_class: str
    fault: str | None


def plant(photos: Dataset, out: Path, seed: int) -> dict[str, object]:
    """Write the photos with their faults into an empty folder and return the truth.

    The same photos and seed give the same files.

    Raises:
        UserError: for too few classes, or a folder that cannot be used.
    """
    names = [clean(found.name).replace("/", " ") for found in photos.classes]
    if len(names) <= CLASSES:
        raise UserError(
            f"PHOTOS: {len(names)} classes; the faults need {CLASSES}, and a control: give more"
        )
    take_empty_folder(out)
    generator = np.random.default_rng(seed)
    faults = _assigned(names, generator)
    planted = _planned(photos, names, faults, generator)
    files = {item.relative: item.path for item in photos.items}
    for one in planted:
        _write(out / one.path, files[one.source], one.fault)
    truth: dict[str, object] = {
        "seed": seed,
        "classes": {name: {"fault": fault, "partner": partner}
                    for name, (fault, partner) in faults.items()},
        "images": {one.path: {key: value for key, value in asdict(one).items() if key != "path"}
                   for one in planted},
    }  # fmt: skip
    (out / TRUTH).write_text(json.dumps(truth, indent=1), encoding="utf-8")
    return truth


def write_again(photos: Dataset, out: Path) -> None:
    """Write all photos as `plant` does, under their own relative paths and without a fault.

    Raises:
        UserError: for a folder that cannot be used, or a photo that cannot be read.
    """
    take_empty_folder(out)
    for item in photos.items:
        _write(out / item.relative, item.path, None)


Faults = dict[str, tuple[str | None, str | None]]


def _assigned(names: Sequence[str], generator: np.random.Generator) -> Faults:
    """Return the fault of each class and the class that it shares it with."""
    order = iter([names[i] for i in generator.permutation(len(names))])
    faults: Faults = {}
    for fault in PHOTO_FAULTS:
        faults[next(order)] = (fault, None)
    for fault in _PAIRED:
        one, other = next(order), next(order)
        faults[one], faults[other] = (fault, other), (fault, one)
    one = next(order)
    other = f"a kind of {one}"
    faults[one], faults[other] = (_TWO_NAMES, other), (_TWO_NAMES, one)
    return faults | dict.fromkeys(order, (None, None))


def _planned(
    photos: Dataset, names: Sequence[str], faults: Faults, generator: np.random.Generator
) -> list[Planted]:
    """Return every photo to write, by class and number."""
    swapped = generator.uniform(*_SWAPPED)
    planned: dict[str, list[tuple[str, str, str | None]]] = {name: [] for name in faults}
    for index, name in enumerate(names):
        files = [item.relative for item in photos.items if item.class_index == index]
        fault, partner = faults[name]
        share = {"swapped labels": swapped, "duplicates": _COPIES}.get(fault or "", _SHARE)
        chosen = set(
            generator.permutation(len(files))[: max(1, round(share * len(files)))].tolist()
        )
        for number, file in enumerate(files):
            hit = number in chosen
            if partner is None:
                planned[name].append((file, name, fault if hit else None))
            elif fault == "exchanged names" or (hit and fault != "duplicates"):
                planned[partner].append((file, name, fault))
            else:
                planned[name].append((file, name, fault if hit else None))
                # One class of the two gets copies of the other's photos.
                if hit and name < partner:
                    planned[partner].append((file, name, fault))
    return [
        Planted(f"{label}/{number:04}.jpg", file, true, fault)
        for label, written in planned.items()
        for number, (file, true, fault) in enumerate(
            [written[i] for i in generator.permutation(len(written))]
        )
    ]


def _write(path: Path, source: Place, fault: str | None) -> None:
    loaded = read_image(source)
    if loaded.image is None:
        raise UserError(f"{source}: {loaded.error}: take it out of PHOTOS")
    change = PHOTO_FAULTS.get(fault or "")
    photo = loaded.image if change is None else change(loaded.image)
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path, "JPEG", quality=_QUALITY)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant the faults, say which class has which, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", help="photos as `mapcap index` takes them")
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=0, help="what goes where (default %(default)s)")
    parser.add_argument(
        "--without-faults", action="store_true", help="write the photos again, and plant nothing"
    )
    given = parser.parse_args(arguments)
    try:
        if given.seed < 0:
            raise UserError(f"--seed {given.seed}: a seed is 0 or more")
        photos = scan(given.photos)
        if given.without_faults:
            write_again(photos, given.out)
            return 0
        truth = plant(photos, given.out, given.seed)
    except UserError as error:
        print(clean(str(error)), file=sys.stderr)
        return 2
    print(json.dumps(truth["classes"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
