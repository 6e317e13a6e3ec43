"""The photos and TinyImageNet's boxes: unpacking the archives, listing what is in them."""

import tarfile
from pathlib import Path

from PIL import Image

from scripts.build_mini import people
from scripts.build_mini.classes import PhotoClass

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the photo; x1 and y1 are exclusive."""

MISSION = "mission25"
ARCHIVES = (f"{MISSION}.tar", *(f"tiny-imagenet-train-{part}of4.tar" for part in range(4)))
UNSEEN = 20
"""The last photos of each class, by name, are kept out of every training, for tests."""
TRAIN_BOXES = "tiny-imagenet-train-boxes.tsv"
MISSION_BOXES = f"{MISSION}_boxes.tsv"


def unpack(data: Path, photos: Path) -> None:
    """Unpack the archives of the data folder, those whose last file is not there already."""
    for name in ARCHIVES:
        _unpack(data / name, photos)
    _unpack(data / people.ARCHIVE, photos / people.FOLDER)


def _unpack(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        if not (folder / files[-1].name).exists():
            archive.extractall(folder, filter="data")


def open_photo(path: Path) -> Image.Image:
    """Read a photo in RGB."""
    with Image.open(path) as file:
        return file.convert("RGB")


def read_boxes(path: Path) -> dict[str, Box]:
    """Read `file, x0, y0, x1, y1` (tabs), whose far edges are the last pixels inside."""
    boxes: dict[str, Box] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        file, *edges = line.split("\t")
        if edges[0].isdigit():  # not the header
            x0, y0, x1, y1 = map(int, edges)
            boxes[file] = (x0, y0, x1 + 1, y1 + 1)
    return boxes


def of_class(photos: Path, folder: str) -> list[Path]:
    """List the photos of one class, by name."""
    return sorted((photos / folder).glob("*.JPEG"))


def mission_names(photos: Path) -> list[str]:
    """List the poster's classes, which are folders by their names."""
    return sorted(folder.name for folder in (photos / MISSION).iterdir() if folder.is_dir())


def training_photos(photos: Path, classes: list[PhotoClass]) -> tuple[list[Path], list[int]]:
    """List all photos for training and the class of each, the classes taking turns.

    The last `UNSEEN` of each class are left out.

    So any part of the list's beginning is balanced, and a cache that was cut short of use.
    """
    turns: list[tuple[int, int, Path]] = []
    for index, photo_class in enumerate(classes):
        found = of_class(photos, photo_class.wnid)[:-UNSEEN]
        turns += [(turn, index, path) for turn, path in enumerate(found)]
    turns.sort(key=lambda entry: entry[:2])
    return [path for *_, path in turns], [index for _, index, _ in turns]
