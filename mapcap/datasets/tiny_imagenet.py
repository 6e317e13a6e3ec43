"""TinyImageNet's own layout.

`train/WNID/images/*.JPEG` with `train/WNID/WNID_boxes.txt`, `val/images/*.JPEG` with
`val/val_annotations.txt`, and `words.txt` with the synonyms of every WNID.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from mapcap.datasets.box_numbers import BoxForm, box_of
from mapcap.datasets.boxes import read_boxes
from mapcap.datasets.folders import OTHERS, entries, list_class_folders
from mapcap.datasets.records import Box, Found, Listing
from mapcap.datasets.tables import open_table
from mapcap.errors import UserError
from mapcap.text import clean

WNID = re.compile(r"n\d{8}")
_CORNERS = BoxForm("xyxy", "pixels")


def list_tiny_imagenet(folder: Path) -> Listing | None:
    """List `train` and `val` together, or the one of them that `folder` is.

    Returns:
        Images with boxes and names, or None if the folder is laid out in another way.

    Raises:
        UserError: for annotations that cannot be read.
    """
    if _has_wnids(folder / "train"):
        root = folder
        splits = [split for split in (folder / "train", folder / "val") if split.is_dir()]
    elif _has_wnids(folder) or _is_annotated(folder):
        root, splits = folder.parent, [folder]
    else:
        return None
    listing = Listing()
    for split in splits:
        part = _annotated(split, folder) if _is_annotated(split) else _boxed(split, folder)
        listing.images += part.images
        listing.passed += part.passed
        listing.empty += part.empty
    listing.passed = +listing.passed
    listing.names = _words(root / "words.txt", {image.label for image in listing.images})
    return listing


def _has_wnids(folder: Path) -> bool:
    """Tell whether a folder holds WNID/images, as `train` does."""
    return folder.is_dir() and any(
        WNID.fullmatch(entry.name) and (Path(entry.path) / "images").is_dir()
        for entry in entries(folder)
    )


def _is_annotated(folder: Path) -> bool:
    """Tell whether a folder has all its images together and a list of them, as `val` does."""
    return (folder / "val_annotations.txt").is_file() and (folder / "images").is_dir()


def _annotated(split: Path, source: Path) -> Listing:
    """List the images of `val_annotations.txt`: file, WNID, x0, y0, x1, y1."""
    listing = Listing()
    annotations = split / "val_annotations.txt"
    table = open_table(annotations, "PHOTOS")
    for place, cells in table.lines():
        where = table.where(place)
        if len(cells) != 6 or not cells[0] or not cells[1]:
            raise UserError(f"{where}: expected file, WNID, x0, y0, x1, y1 with tabs between.")
        path = split / "images" / cells[0]
        relative = path.relative_to(source).as_posix()
        listing.images.append(Found(path, cells[1], relative, box_of(cells[2:], where)))
    return listing


def _boxed(split: Path, source: Path) -> Listing:
    """List class folders whose images have their boxes in `WNID_boxes.txt`."""
    plain = list_class_folders(split, source)
    listing = Listing(passed=plain.passed, empty=plain.empty)
    boxes: dict[str, Mapping[str, Box | None]] = {}
    for label in {image.label for image in plain.images}:
        table = split / label / f"{label}_boxes.txt"
        if table.is_file():
            boxes[label] = read_boxes(table, _CORNERS, "PHOTOS").table
            listing.passed[OTHERS] -= 1  # it was read after all
    for image in plain.images:
        box = boxes.get(image.label, {}).get(image.path.name)
        listing.images.append(Found(image.path, image.label, image.relative, box))
    return listing


def _words(path: Path, labels: set[str]) -> dict[str, str]:
    """Return names by WNID: the first synonym, or all of them where another class has it too."""
    if not path.is_file():
        return {}
    synonyms = {
        cells[0]: clean(cells[1])
        for _, cells in open_table(path, "PHOTOS").lines()
        if len(cells) > 1 and cells[0] in labels
    }
    firsts = [text.split(",")[0].strip() for text in synonyms.values()]
    return {
        label: text if firsts.count(first) > 1 else first
        for (label, text), first in zip(synonyms.items(), firsts, strict=True)
    }
