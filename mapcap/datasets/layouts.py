"""How a folder of photos is laid out: which of its folders are the classes.

What can be read in one way is read so, and said; what can be read in two is refused, with the
option that tells.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mapcap.datasets.box_numbers import BoxForm
from mapcap.datasets.folders import (
    contents,
    holds_pictures,
    list_class_folders,
    list_leaf_folders,
    no_classes,
    pictures_below,
)
from mapcap.datasets.manifest import has_columns, list_manifest
from mapcap.datasets.records import Listing, composed, natural, shown
from mapcap.datasets.tables import TABLES, open_table
from mapcap.errors import UserError
from mapcap.text import counted

_SPLIT: Final = re.compile(
    r"(train|training|val|valid|validation|dev|test|testing|eval|evaluation|holdout)"
    r"([-_ ]?(set|split|data|images|imgs|photos|\d{1,4}))?",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(
    r"\d+|images?|imgs?|photos?|pictures?|data|frames?|all|unknown|unlabell?ed", re.IGNORECASE
)
"""Names of folders that say nothing of what is in them."""


def list_folder(source: Path, form: BoxForm, level: str | None) -> Listing:
    """List the images of a folder by its layout.

    `level` is the person's word on which folders are the classes, of `CLASS_LEVELS`.

    Raises:
        UserError: for a folder without classes, or one that can be read in two ways.
    """
    if level == "top":
        return list_class_folders(source, source)
    notes: list[str] = []
    root, passed = _root_of(source, notes)
    if level == "leaf":
        listing = list_leaf_folders(root, source)
    else:
        table = _table_of(root)
        if table is not None:
            listing = _from_table(table, source, form)
            notes.append(f"classes are taken from {shown(table)}")
        else:
            notes += _unread(root)
            _check_splits(root)
            _check_depth(root)
            listing = list_class_folders(root, source)
    listing.notes = [*notes, *listing.notes]
    listing.passed += passed
    return listing


def is_flat(source: Path, apart_from: Path) -> bool:
    """Tell whether images lie in a folder itself, without folders of them or a table of classes.

    `apart_from` is a file that is no such table, whatever it looks like.

    Raises:
        UserError: for a folder that cannot be listed.
    """
    held = contents(source, linked=True)
    if not held.pictures or any(map(holds_pictures, held.folders)):
        return False
    return all(table.samefile(apart_from) for table in _manifests_in(source))


def _from_table(table: Path, source: Path, form: BoxForm) -> Listing:
    """List what a table in a folder names, with paths relative to `source`."""
    listing = list_manifest(table, form)
    below = table.parent.relative_to(source)
    listing.images = [
        replace(image, relative=(below / image.relative).as_posix()) for image in listing.images
    ]
    return listing


def is_split(name: str) -> bool:
    """Tell whether a folder is called as a part of a dataset: `train`, `val`, `test2017`."""
    return _SPLIT.fullmatch(name.strip()) is not None


def _root_of(source: Path, notes: list[str]) -> tuple[Path, Counter[str]]:
    """Return the folder whose folders are classes: below wrappers, and in the labelled split."""
    root, passed = _unwrapped(source), Counter[str]()
    if root != source:
        notes.append(f"classes are the folders of {shown(root)}")
    filled = _filled(root)
    splits = [folder for folder in filled if is_split(folder.name)]
    labelled = [folder for folder in splits if _is_labelled(folder)]
    if not labelled:
        return root, passed
    others = [folder for folder in filled if folder not in splits]
    names = " or ".join(shown(folder) for folder in labelled)
    if others:
        raise UserError(
            f"PHOTOS: {shown(root)} can be read in two ways: {shown(labelled[0].name)} looks like "
            f"a split with classes in it, {shown(others[0].name)} like a class. Name {names}, or "
            "say --class-level top if all of them are classes."
        )
    if len(labelled) > 1:
        raise UserError(
            f"PHOTOS: {shown(root)} holds splits, not classes. Name one of them: {names}."
        )
    (chosen,) = labelled
    for split in splits:
        if split != chosen:
            count = len(pictures_below(split)[0])
            passed[f"in {shown(split.name)}, which has no classes"] += count
    notes.append(f"classes are the folders of {shown(chosen)}")
    return _unwrapped(chosen), passed


def _filled(folder: Path) -> list[Path]:
    """Return the folders of a folder that have pictures, in natural order."""
    folders = [each for each in contents(folder, linked=True).folders if holds_pictures(each)]
    return sorted(folders, key=lambda each: natural(each.name))


def _unwrapped(folder: Path) -> Path:
    """Return the first folder below that holds several folders with pictures.

    An archive unpacks into a folder of its own, often twice. Where nothing but pictures comes
    below, there is a single class, and the folder is returned.
    """
    deeper = folder
    while True:
        held = contents(deeper, linked=deeper == folder)
        filled = [each for each in held.folders if holds_pictures(each)]
        if held.pictures or not filled:
            return folder
        if len(filled) > 1:
            return deeper
        deeper = filled[0]


def _is_labelled(split: Path) -> bool:
    held = contents(split)
    filled = [folder for folder in held.folders if holds_pictures(folder)]
    if held.pictures or not filled:
        return False
    return len(filled) > 1 or not _PLAIN.fullmatch(filled[0].name)


def _table_of(root: Path) -> Path | None:
    """Return the manifest that lies beside images without class folders, if one does.

    Raises:
        UserError: if there are several, or also folders with images.
    """
    held = contents(root, linked=True)
    filled = [folder for folder in held.folders if holds_pictures(folder)]
    flat = all(is_split(folder.name) or _PLAIN.fullmatch(folder.name) for folder in filled)
    if not flat or not (held.pictures or filled):
        return None
    tables = _manifests_in(root)
    if len(tables) > 1 or (tables and filled):
        raise UserError(
            f"PHOTOS: {shown(root)} holds images without class folders, and "
            f"{counted(len(tables), 'table')} of their classes: name "
            f"{' or '.join(shown(table) for table in tables[:5])}."
        )
    if not tables and not filled:
        raise no_classes(root, loose=len(held.pictures))
    return tables[0] if tables else None


def _manifests_in(folder: Path) -> list[Path]:
    """Return the tables of images and classes that lie in a folder, in natural order."""
    return [
        path
        for path in sorted(folder.iterdir(), key=lambda each: natural(each.name))
        if path.suffix.lower() in TABLES and path.is_file() and _is_manifest(path)
    ]


def _is_manifest(path: Path) -> bool:
    try:
        return has_columns(open_table(path, "PHOTOS"))
    except UserError:
        return False


def _unread(root: Path) -> list[str]:
    """Return what to say of tables beside folders that say nothing of what is in them."""
    if any(not _PLAIN.fullmatch(folder.name) for folder in _filled(root)):
        return []
    tables = [each for each in root.iterdir() if each.suffix.lower() in TABLES and each.is_file()]
    names = ", ".join(shown(each.name) for each in sorted(tables)[:3])
    return [f"not read, for want of columns of paths and classes: {names}"] if tables else []


def _check_splits(root: Path) -> None:
    """Refuse splits whose images lie in no class folders: the splits are no classes.

    Raises:
        UserError: naming the option with which they are.
    """
    filled = _filled(root)
    if filled and all(is_split(folder.name) for folder in filled):
        raise UserError(
            f"PHOTOS: {shown(root)} holds splits ({', '.join(shown(f.name) for f in filled[:3])}) "
            "without class folders in them. Name a table of paths and classes; or that folder, "
            "with --class-level top, if these are the classes."
        )


def _check_depth(root: Path) -> None:
    """Refuse folders in which classes may be the outer or the inner ones.

    Raises:
        UserError: naming the option that tells.
    """
    inner: list[tuple[Path, list[Path]]] = []
    for folder in contents(root, linked=True).folders:
        held = contents(folder)
        if held.pictures:
            return
        inner.append((folder, [each for each in held.folders if holds_pictures(each)]))
    names = [composed(each.name) for _, folders in inner for each in folders]
    repeated = len(set(names)) < len(names)
    plain = any(_PLAIN.fullmatch(each.name) and not each.name.isdigit() for each, _ in inner)
    if (repeated and not plain) or not _mean_something(names):
        return  # the same inside of each class, as sessions or sizes are
    outer, folders = next(((folder, each) for folder, each in inner if len(each) > 1), (root, []))
    if folders:
        first = sorted(folders, key=lambda each: natural(each.name))[0]
        raise UserError(
            f"PHOTOS: {shown(root)} can be read in two ways: the classes may be its "
            f"{counted(len(inner), 'folder')}, such as {shown(outer.name)}, or the "
            f"{counted(len(names), 'folder')} in them, such as {shown(outer.name)}/"
            f"{shown(first.name)}. Say --class-level top or leaf, or name the folder of the photos."
        )


def _mean_something(names: Sequence[str]) -> bool:
    return any(not (_PLAIN.fullmatch(name) or is_split(name)) for name in names)
