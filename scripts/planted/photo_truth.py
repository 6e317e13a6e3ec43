"""The truth of a bed of photos, as `scripts.plant_faults` writes it, read again."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mapcap.errors import UserError
from mapcap.text import clean
from scripts.plant_faults import Planted

_SWAPPED: Final = "swapped labels"
_NAMES: Final = ("exchanged names", "two names")
"""Faults of the names of whole classes: whether a label there is wrong depends on the view."""
_COPIED: Final = "duplicates"
"""Photos in two classes: one of the labels is wrong, which the finding of the copies says."""


@dataclass(frozen=True)
class PhotoTruth:
    """What is planted: (fault, partner) by class, None for none; photos by path below the folder.

    A photo's `source` is its path among the photos that the faults were planted in.
    """

    seed: int
    classes: dict[str, tuple[str | None, str | None]]
    photos: dict[str, Planted]

    @property
    def controls(self) -> list[str]:
        """The classes in which nothing is planted."""
        return [name for name, (fault, _) in self.classes.items() if fault is None]

    def of_class(self, name: str) -> list[Planted]:
        """Return the photos of a class."""
        return [photo for photo in self.photos.values() if photo.path.rpartition("/")[0] == name]

    @property
    def judged(self) -> set[str]:
        """The photos whose label is either right or wrong."""
        named = {name for name, (fault, _) in self.classes.items() if fault in _NAMES}
        return {
            path
            for path, photo in self.photos.items()
            if path.rpartition("/")[0] not in named and photo.fault != _COPIED
        }

    @property
    def wrong_labels(self) -> set[str]:
        """The photos whose labels were swapped."""
        return {path for path, photo in self.photos.items() if photo.fault == _SWAPPED}


def read_photo_truth(path: Path) -> PhotoTruth:
    """Read what `scripts.plant_faults` wrote.

    Raises:
        UserError: if it cannot be read, or is of another form.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return PhotoTruth(
            int(stored["seed"]),
            {name: (row["fault"], row["partner"]) for name, row in stored["classes"].items()},
            {name: Planted(path=name, **row) for name, row in stored["images"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = clean(str(error))[:200]
        raise UserError(
            f"{path} is no truth.json of scripts.plant_faults ({reason}): plant it again"
        ) from error


def is_of_photos(path: Path) -> bool:
    """Tell whether a truth.json, if it can be read, is that of a bed of photos."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return "version" not in stored and "seed" in stored
    except (OSError, ValueError, TypeError):
        return False
