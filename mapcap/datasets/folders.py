"""A folder of class folders."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mapcap.datasets.pictures import is_helper, is_picture, looks_like_picture
from mapcap.datasets.records import Found, Listing, composed, shown
from mapcap.errors import UserError

HIDDEN: Final = "hidden"
HELPERS: Final = "left by a NAS, a camera, an archive or a desktop"
OTHERS: Final = "no pictures"
LINKS: Final = "links"
LOOSE: Final = "outside class folders"


@dataclass(slots=True)
class Contents:
    """What one folder holds: pictures, folders, and what is passed over, by reason."""

    pictures: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)


def contents(folder: Path, *, linked: bool = False) -> Contents:
    """List a folder itself; `linked` takes links to folders for folders.

    Raises:
        UserError: if it cannot be listed.
    """
    held = Contents()
    for entry in entries(folder):
        if is_helper(entry.name):
            held.passed[HELPERS] += 1
        elif entry.name.startswith("."):
            held.passed[HIDDEN] += 1
        elif _is_folder(entry, folder, linked=linked):
            held.folders.append(Path(entry.path))
        elif is_picture(entry):
            held.pictures.append(Path(entry.path))
        else:
            # Of a root, links back to it and notes beside the classes are not worth a word.
            kept = entry.is_symlink() and (not linked or looks_like_picture(entry.name))
            held.passed[LINKS if kept else OTHERS] += not linked or looks_like_picture(entry.name)
    held.passed = +held.passed
    return held


def pictures_below(folder: Path) -> tuple[list[Path], Counter[str]]:
    """Return the pictures in a folder and below it, and what is passed over, by reason."""
    pictures, passed, waiting = list[Path](), Counter[str](), [folder]
    while waiting:
        held = contents(waiting.pop())
        pictures += held.pictures
        waiting += held.folders
        passed += held.passed
    return pictures, passed


def holds_pictures(folder: Path) -> bool:
    """Tell whether there is a picture in a folder or below it; looks no further than the first."""
    waiting = [str(folder)]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.name.startswith(".") or is_helper(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif is_picture(entry):
                return True
    return False


def list_class_folders(root: Path, source: Path) -> Listing:
    """List the images in the class folders of `root`, with paths relative to `source`.

    The images of a class may lie in sub-folders. A class folder may be a link; links to folders
    below it are not followed, so that no link can lead in a circle.

    Raises:
        UserError: for a folder that cannot be listed or has no class folders with images.
    """
    listing = Listing()
    held = contents(root, linked=True)
    listing.passed += held.passed
    if held.pictures:
        listing.passed[LOOSE] += len(held.pictures)
    for folder in _distinct(held.folders, listing.passed):
        pictures, passed = pictures_below(folder)
        listing.passed += passed
        if not pictures:
            listing.empty.append(folder.name)
        for path in pictures:
            listing.images.append(
                Found(path, composed(folder.name), path.relative_to(source).as_posix())
            )
    if not listing.images:
        raise no_classes(root, loose=len(held.pictures))
    return listing


def list_photos(root: Path) -> Listing:
    """List the images of a folder and below it, of which something else tells the classes.

    Raises:
        UserError: for a folder that cannot be listed or holds no image.
    """
    pictures, passed = pictures_below(root)
    if not pictures:
        raise UserError(f"PHOTOS: {shown(root)} holds no image. Name the folder of the photos.")
    listing = Listing(passed=passed)
    listing.images += [Found(path, "", path.relative_to(root).as_posix()) for path in pictures]
    return listing


def list_leaf_folders(root: Path, source: Path) -> Listing:
    """List images whose class is the folder that they lie in, however deep below `root`.

    A class is called by that folder's name, or by its path where two have the same.

    Raises:
        UserError: for a folder that cannot be listed or has no class folders with images.
    """
    listing = Listing()
    held = contents(root, linked=True)
    listing.passed += held.passed
    if held.pictures:
        listing.passed[LOOSE] += len(held.pictures)
    waiting, leaves = _distinct(held.folders, listing.passed), list[tuple[Path, list[Path]]]()
    while waiting:
        folder = waiting.pop()
        inner = contents(folder)
        listing.passed += inner.passed
        waiting += inner.folders
        if inner.pictures:
            leaves.append((folder, inner.pictures))
    names = Counter(composed(folder.name) for folder, _ in leaves)
    for folder, pictures in leaves:
        name = composed(folder.name)
        label = name if names[name] == 1 else composed(folder.relative_to(root).as_posix())
        listing.images += [
            Found(path, label, path.relative_to(source).as_posix()) for path in pictures
        ]
    if not listing.images:
        raise no_classes(root, loose=len(held.pictures))
    return listing


def no_classes(root: Path, *, loose: int = 0) -> UserError:
    """Return the refusal of a folder without class folders."""
    lying = f" ({loose:,} images lie in it, without a class)" if loose else ""
    return UserError(
        f"PHOTOS: {shown(root)} has no class folders with images{lying}. Expected "
        f"{shown(root)}/CLASS/IMAGE, one folder for each class; or name a CSV file with the "
        "columns path,class."
    )


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder.

    Raises:
        UserError: if it cannot be listed.
    """
    return list(_entries(folder))


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as iterator:
            yield from iterator
    except OSError as error:
        raise UserError(f"PHOTOS: {shown(folder)} cannot be listed: {error.strerror}.") from error


def _is_folder(entry: os.DirEntry[str], parent: Path, *, linked: bool) -> bool:
    """Tell whether an entry is a folder; a link to the parent or above it is none."""
    try:
        if not linked or not entry.is_symlink():
            return entry.is_dir(follow_symlinks=False)
        return entry.is_dir() and not parent.resolve().is_relative_to(Path(entry.path).resolve())
    except OSError:  # a link in a circle
        return False


def _distinct(folders: list[Path], passed: Counter[str]) -> list[Path]:
    """Return the folders without links to others of them: a class is not there twice."""
    real = {folder.resolve() for folder in folders if not folder.is_symlink()}
    kept = [folder for folder in folders if not folder.is_symlink() or folder.resolve() not in real]
    if len(kept) < len(folders):
        passed[LINKS] += len(folders) - len(kept)
    return kept
