"""From what the user names to classes and images in a fixed order."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from db.text import storable
from mapcap.config import CLASS_LEVELS
from mapcap.datasets.box_numbers import BoxForm, box_form, in_pixels
from mapcap.datasets.boxes import match_boxes, read_boxes
from mapcap.datasets.content import describe_content, first_bytes
from mapcap.datasets.folders import list_photos
from mapcap.datasets.images import size_of
from mapcap.datasets.layouts import list_folder
from mapcap.datasets.manifest import list_manifest
from mapcap.datasets.names import read_names
from mapcap.datasets.records import (
    Box,
    ClassLabel,
    Dataset,
    Found,
    Item,
    Listing,
    composed,
    distinct,
    natural,
    shown,
)
from mapcap.datasets.sample import SAMPLE, sample_path
from mapcap.datasets.tables import TABLES
from mapcap.datasets.tiny_imagenet import WNID, list_tiny_imagenet
from mapcap.errors import UserError
from mapcap.text import clean


def scan(
    source: str | os.PathLike[str],
    *,
    names: str | os.PathLike[str] | None = None,
    boxes: str | os.PathLike[str] | None = None,
    box_format: str | None = None,
    box_units: str | None = None,
    class_level: str | None = None,
    limit_per_class: int | None = None,
    labelled: bool = True,
) -> Dataset:
    """Find the labelled images of a source; no image is opened, unless boxes are in shares of it.

    A source is a folder of class folders, TinyImageNet (its root, `train` or `val`), a manifest
    with the columns path,class (CSV, TSV, JSON lines, Parquet), or the word `sample`.

    Labels are kept as they are, but in one Unicode form, and bytes which are no UTF-8 are written
    as escapes; names are labels without control characters. Labels that become equal stay
    distinct: `a`, `a (2)`; those that differ in blanks at their ends are one.

    Args:
        source: what to scan.
        names: table of label and class name. Without it the source's own names are used, or else
            the labels.
        boxes: table of file and four numbers; goes before boxes that the source brings.
        box_format: what the four numbers are, of `BOX_FORMATS`; None: the table tells.
        box_units: `pixels` or `shares` of the photo's sides; None: their values tell.
        class_level: `top` or `leaf` folders are the classes; None: the layout tells.
        labelled: whether the folders of a folder are the classes; otherwise all its photos are of
            one class, until a table tells theirs.
        limit_per_class: the first so many images of each class, so that a larger limit only adds.

    Returns:
        Classes in natural order of their labels; items by class, then in natural order of paths.

    Raises:
        UserError: for a source, table or option that cannot be used, with what to do.
    """
    if limit_per_class is not None and limit_per_class < 1:
        raise UserError(f"--limit-per-class: at least 1, not {limit_per_class}.")
    form = box_form(box_format, box_units)
    if class_level is not None and class_level not in CLASS_LEVELS:
        raise UserError(f"--class-level: the value is one of {', '.join(CLASS_LEVELS)}.")
    root = sample_path() if source == SAMPLE else Path(source)
    try:
        unlabelled = not labelled and root.is_dir()
        listing = list_photos(root) if unlabelled else _list(root, form, class_level)
    except (OSError, ValueError) as error:
        # A folder above it that may not be entered, a name too long, a null byte.
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"PHOTOS: {shown(root)} cannot be read: {shown(reason)}.") from error
    if boxes is None and source == SAMPLE:
        boxes = root / "boxes.tsv"
    notes = list(listing.notes)
    found_names = None if names is None else Path(names)
    images = sorted(_merged(listing.images, notes), key=_order)
    matched: dict[str, Box | None] = {}
    shares = listing.shares
    if boxes is not None:
        read = read_boxes(Path(boxes), form)
        matched, shares = match_boxes(Path(boxes), read, images), read.shares
        if source != SAMPLE:
            notes += [*read.notes, *_boxed(matched, len(images))]
    raw_labels = list(dict.fromkeys(image.label for image in images))
    classes = class_labels(raw_labels, listing.names, found_names)
    relatives = distinct(storable(image.relative) for image in images)
    items: list[Item] = []
    for index, (_, group) in enumerate(
        groupby(zip(images, relatives, strict=True), key=lambda pair: pair[0].label)
    ):
        items += [
            Item(
                image.path,
                index,
                in_pixels(
                    matched.get(image.relative, image.box),
                    size_of(image.path) if shares else None,
                    shares=shares,
                ),
                relative,
            )
            for image, relative in list(group)[:limit_per_class]
        ]
    empty = sorted((clean(name) for name in listing.empty), key=natural)
    return Dataset(
        str(source), classes, tuple(items), dict(listing.passed), tuple(empty), tuple(notes)
    )


def _boxed(matched: Mapping[str, Box | None], images: int) -> list[str]:
    """Say of how many images there is a box, where not of all."""
    boxed = sum(box is not None for box in matched.values())
    return [f"boxes: {boxed:,} of {images:,} images have one"] if boxed < images else []


def _merged(images: Sequence[Found], notes: list[str]) -> list[Found]:
    """Return the images with labels that differ in blanks at their ends made one."""
    by_text: dict[str, list[str]] = {}
    for label in dict.fromkeys(image.label for image in images):
        by_text.setdefault(label.strip(), []).append(label)
    same = {text: labels for text, labels in by_text.items() if len(labels) > 1 and text}
    if not same:
        return list(images)
    first = ", ".join(repr(shown(text)) for text in list(same)[:3])
    notes.append(f"classes that differ in blanks alone are one: {first}")
    renamed = {label: text for text, labels in same.items() for label in labels}
    return [replace(image, label=renamed.get(image.label, image.label)) for image in images]


def _order(image: Found) -> tuple[object, ...]:
    """Sort by natural order; where that is equal (`1` and `01`), by the text itself."""
    return natural(image.label), image.label, natural(image.relative), image.relative


def _list(root: Path, form: BoxForm, level: str | None) -> Listing:
    """List a source by what it is."""
    if root.is_dir():
        return list_tiny_imagenet(root) or list_folder(root, form, level)
    if not root.exists():
        raise UserError(
            f"PHOTOS: {shown(root)} does not exist. Name a folder of class folders, a manifest "
            f"(.csv, .tsv, .jsonl, .parquet), or the word {SAMPLE}."
        )
    if root.suffix.lower() in TABLES or first_bytes(root).startswith(b"PAR1"):
        return list_manifest(root, form)
    what = describe_content(first_bytes(root))
    raise UserError(
        f"PHOTOS: {shown(root)} is neither a folder nor a manifest"
        f"{f' but {what}' if what else ''}. Name a folder of class folders, or a table of paths "
        "and classes whose name ends in .csv, .tsv, .jsonl or .parquet."
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
    if file is None:
        _check_case(labels)
    place = "PHOTOS: words.txt" if file is None else f"--names: {shown(file)}"
    if not names and file is None:
        if all(WNID.fullmatch(label) for label in labels):
            raise UserError(
                f"The classes are WordNet ids such as {labels[0]}, which no model knows. Give "
                "their names with --names FILE, one line each: label, tab, name."
            )
        cleaned = distinct(clean(label).strip() or "unnamed" for label in labels)
        return tuple(map(ClassLabel, labels, cleaned))
    unknown = [shown(label) for label in labels if composed(label) not in names]
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise UserError(f"{place} has no name for {', '.join(unknown[:5])}{more}. Add them.")
    by_name: dict[str, str] = {}
    for label in labels:
        name = names[composed(label)]
        other = by_name.setdefault(name, label)
        if other != label:
            raise UserError(
                f"{place} calls both {shown(other)} and {shown(label)} {name!r}. "
                "Give each class a name of its own."
            )
    return tuple(ClassLabel(label, names[composed(label)]) for label in labels)


def _check_case(labels: Sequence[str]) -> None:
    """Refuse classes that differ in case alone: one class twice, or two, as `a` and `A`."""
    by_case: dict[str, str] = {}
    for label in labels:
        other = by_case.setdefault(label.casefold().strip(), label)
        if other != label:
            raise UserError(
                f"PHOTOS: the classes {shown(other)} and {shown(label)} differ in case alone. "
                "Rename one if they are the same, or give each a name of its own with --names FILE."
            )
