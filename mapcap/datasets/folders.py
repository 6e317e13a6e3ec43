"""A folder of class folders."""

import os
from pathlib import Path

from mapcap.datasets.records import Found, Listing, shown
from mapcap.errors import UserError

_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm"}
)
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


def list_class_folders(root: Path, source: Path) -> Listing:
    """List the images in the class folders of `root`, with paths relative to `source`.

    The images of a class may lie in sub-folders. A class folder may be a link; links to folders
    below it are not followed, so that no link can lead in a circle.

    Raises:
        UserError: for a folder that cannot be listed or has no class folders with images.
    """
    listing = Listing()
    for entry in entries(root):
        if entry.name.startswith(".") or not _is_class_folder(entry, root):
            # Notes and tables beside the class folders are no images that went missing.
            listing.skipped += entry.name.startswith(".") or _looks_like_image(entry.name)
            continue
        images, skipped = _images(Path(entry.path))
        listing.skipped += skipped
        if not images:
            listing.empty.append(entry.name)
        for path in images:
            listing.images.append(Found(path, entry.name, path.relative_to(source).as_posix()))
    if not listing.images:
        raise UserError(
            f"{shown(root)} has no class folders with images. Expected {shown(root)}/CLASS/IMAGE, "
            "one folder for each class; or name a CSV file with the columns path,class."
        )
    if _are_splits(listing, root):
        split = root / listing.images[0].label
        raise UserError(
            f"{shown(root)} holds splits, not classes. Name one of them: {shown(split)}."
        )
    return listing


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder.

    Raises:
        UserError: if it cannot be listed.
    """
    try:
        with os.scandir(folder) as iterator:
            return list(iterator)
    except OSError as error:
        raise UserError(f"{shown(folder)} cannot be listed: {error.strerror}.") from error


def _is_class_folder(entry: os.DirEntry[str], root: Path) -> bool:
    """Tell whether an entry is a folder; a link to the root or above it is none."""
    try:
        if not entry.is_dir():
            return False
        if not entry.is_symlink():
            return True
        return not root.resolve().is_relative_to(Path(entry.path).resolve())
    except OSError:  # a link in a circle
        return False


def _images(folder: Path) -> tuple[list[Path], int]:
    """Return the images in a folder and below it, and how many other entries there are."""
    images, skipped, waiting = [], 0, [folder]
    while waiting:
        for entry in entries(waiting.pop()):
            hidden = entry.name.startswith(".")
            if entry.is_dir(follow_symlinks=False) and not hidden:
                waiting.append(Path(entry.path))
            elif not hidden and _looks_like_image(entry.name) and _is_file(entry):
                images.append(Path(entry.path))
            else:
                skipped += 1
    return images, skipped


def _looks_like_image(name: str) -> bool:
    """Tell by its ending whether a file name is an image's."""
    return Path(name).suffix.lower() in _SUFFIXES


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a regular file or a link to one: not a pipe, not a broken link."""
    try:
        return entry.is_file()
    except OSError:  # a link in a circle
        return False


def _are_splits(listing: Listing, root: Path) -> bool:
    """Tell whether what looks like classes is `train`, `val` and so on, with classes inside."""
    return all(
        image.label.lower() in _SPLITS
        and isinstance(image.path, Path)
        and image.path.parent.parent != root
        for image in listing.images
    )
