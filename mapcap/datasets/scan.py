"""From what the user names to classes and images in a fixed order."""

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from db.text import storable
from mapcap.datasets.columns import PARQUET, TABLES
from mapcap.datasets.folders import list_class_folders, list_photos
from mapcap.datasets.manifest import list_manifest
from mapcap.datasets.records import (
    ClassLabel,
    Dataset,
    Found,
    Item,
    Listing,
    distinct,
    natural,
    shown,
)
from mapcap.datasets.tables import match_boxes, read_boxes, read_names
from mapcap.datasets.tiny_imagenet import WNID, list_tiny_imagenet
from mapcap.errors import UserError
from mapcap.text import clean

SAMPLE = "sample"
"""The word that stands for the built-in sample; a folder of that name is `./sample`."""


def scan(
    source: str | os.PathLike[str],
    *,
    names: str | os.PathLike[str] | None = None,
    boxes: str | os.PathLike[str] | None = None,
    limit_per_class: int | None = None,
    labelled: bool = True,
) -> Dataset:
    """Find the labelled images of a source; no image is opened.

    A source is a folder of class folders, TinyImageNet (its root, `train` or `val`), a CSV or
    Parquet manifest with the columns path,class, or the word `sample`.

    Labels are kept as they are, except that bytes which are no UTF-8 are written as escapes; names
    are labels without control characters. Labels that become equal stay distinct: `a`, `a (2)`.

    Args:
        source: what to scan.
        names: table of label and class name. Without it the source's own names are used, or else
            the labels.
        boxes: table of file, x0, y0, x1, y1; goes before boxes that the source brings.
        labelled: whether the folders of a folder are the classes; otherwise all its photos are of
            one class, until a table tells theirs.
        limit_per_class: the first so many images of each class, so that a larger limit only adds.

    Returns:
        Classes in natural order of their labels; items by class, then in natural order of paths.

    Raises:
        UserError: for a source, table or limit that cannot be used, with what to do.
    """
    if limit_per_class is not None and limit_per_class < 1:
        raise UserError(f"--limit-per-class: at least 1, not {limit_per_class}.")
    root = _sample() if source == SAMPLE else Path(source)
    try:
        listing = list_photos(root) if not labelled and root.is_dir() else _list(root)
    except OSError as error:  # a folder above it that may not be entered, a name too long
        raise UserError(f"PHOTOS: {shown(root)} cannot be read: {error.strerror}.") from error
    if boxes is None and source == SAMPLE:
        boxes = root / "boxes.tsv"
    images = sorted(listing.images, key=_order)
    matched = {} if boxes is None else match_boxes(Path(boxes), read_boxes(Path(boxes)), images)
    raw_labels = list(dict.fromkeys(image.label for image in images))
    classes = class_labels(raw_labels, listing.names, None if names is None else Path(names))
    relatives = distinct(storable(image.relative) for image in images)
    items: list[Item] = []
    for index, (_, group) in enumerate(
        groupby(zip(images, relatives, strict=True), key=lambda pair: pair[0].label)
    ):
        items += [
            Item(image.path, index, matched.get(image.relative, image.box), relative)
            for image, relative in list(group)[:limit_per_class]
        ]
    empty = sorted((clean(name) for name in listing.empty), key=natural)
    return Dataset(str(source), classes, tuple(items), listing.skipped, tuple(empty))


def _sample() -> Path:
    """Return the folder of the built-in sample."""
    return Path(__file__).parents[1] / "data" / "sample"


def _order(image: Found) -> tuple[object, ...]:
    """Sort by natural order; where that is equal (`1` and `01`), by the text itself."""
    return natural(image.label), image.label, natural(image.relative), image.relative


def _list(root: Path) -> Listing:
    """List a source by what it is."""
    if root.is_dir():
        return list_tiny_imagenet(root) or list_class_folders(root, root)
    if not root.exists():
        raise UserError(
            f"PHOTOS: {shown(root)} does not exist. Name a folder of class folders, a manifest "
            f"(.csv, .parquet), or the word {SAMPLE}."
        )
    if root.suffix.lower() in TABLES | PARQUET:
        return list_manifest(root)
    raise UserError(
        f"PHOTOS: {shown(root)} is neither a folder nor a manifest. A manifest's name ends in "
        ".csv, .tsv or .parquet."
    )


def class_labels(
    raw_labels: Sequence[str], source_names: Mapping[str, str], file: Path | None
) -> tuple[ClassLabel, ...]:
    """Give each label its class name, by the source's own names or a file of --names.

    Raises:
        UserError: for labels without a name, and two classes of one name.
    """
    labels = distinct(storable(label) for label in raw_labels)
    names = source_names if file is None else read_names(file)
    place = "PHOTOS: words.txt" if file is None else f"--names: {shown(file)}"
    if not names and file is None:
        if all(WNID.fullmatch(label) for label in labels):
            raise UserError(
                f"The classes are WordNet ids such as {labels[0]}, which no model knows. Give "
                "their names with --names FILE, one line each: label, tab, name."
            )
        cleaned = distinct(clean(label).strip() or "unnamed" for label in labels)
        return tuple(map(ClassLabel, labels, cleaned))
    unknown = [shown(label) for label in labels if label not in names]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise UserError(f"{place} has no name for {', '.join(unknown[:5])}{more}. Add them.")
    by_name: dict[str, str] = {}
    for label in labels:
        other = by_name.setdefault(names[label], label)
        if other != label:
            raise UserError(
                f"{place} calls both {shown(other)} and {shown(label)} {names[label]!r}. "
                "Give each class a name of its own."
            )
    return tuple(ClassLabel(label, names[label]) for label in labels)
