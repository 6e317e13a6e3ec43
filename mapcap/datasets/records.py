"""What a scan finds, and how its names are put in order."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapcap.datasets.remote import Url
from mapcap.text import clean

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the upright original image."""


Place = Path | Url
"""Where a file lies."""


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """A class: `label` is what the source calls it, `name` what the model is asked for."""

    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier that is not ours says of an image; what its file lacks is None.

    `top` holds (class index, probability, logit), best first: the first is the predicted class.
    `margin` is the logit of the image's class less the best other one.
    """

    top: tuple[tuple[int, float | None, float | None], ...]
    true_probability: float | None
    true_rank: int | None
    margin: float | None


@dataclass(frozen=True, slots=True)
class Item:
    """An image file; `relative` is its path within the source or its URL, to show and to store.

    `prediction` is that of the person's own classifier; None where the CLIP is to predict.
    """

    path: Place
    class_index: int
    box: Box | None
    relative: str
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Classes in natural order of their labels, items by class and then by path.

    `passed` counts what was passed over, by reason: hidden files, files of other types in class
    folders, helpers of desktops and cameras, links to folders, broken links, images outside class
    folders. `empty` names the folders that would be classes if they held an image. `notes` are
    what was guessed of the source and its tables, to be said before work begins.
    """

    source: str
    classes: tuple[ClassLabel, ...]
    items: tuple[Item, ...]
    passed: Mapping[str, int] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def skipped(self) -> int:
        """How many files and folders were passed over, for whatever reason."""
        return sum(self.passed.values())


@dataclass(frozen=True, slots=True)
class Found:
    """An image before its class has a number; texts are as the file system has them."""

    path: Place
    label: str
    relative: str
    box: Box | None = None


@dataclass(slots=True)
class Listing:
    """All that a source holds; `names` are those that it brings with it, by label.

    `shares` says that the boxes are in shares of the photos' sides, not in pixels.
    """

    images: list[Found] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    empty: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shares: bool = False


def natural(text: str) -> list[str | tuple[int, str]]:
    """Return a sort key that puts `img_2` before `img_10`."""
    # Digits compare by length, then as text: int() would refuse a number of 5,000 digits.
    return [
        (len(digits := piece.lstrip("0")), digits) if place % 2 else piece
        for place, piece in enumerate(re.split(r"([0-9]+)", text))
    ]


def distinct(texts: Iterable[str]) -> list[str]:
    """Return the texts with a number behind each that came before: `a`, `a (2)`."""
    used: set[str] = set()
    result = []
    for text in texts:
        candidate, number = text, 1
        while candidate in used:
            number += 1
            candidate = f"{text} ({number})"
        used.add(candidate)
        result.append(candidate)
    return result


def shown(path: Path | str) -> str:
    """Return a path fit for a message."""
    return clean(str(path))


def composed(text: str) -> str:
    """Return a text in the one Unicode form that names are compared in.

    A Mac stores `é` as two characters, most others as one: they look the same.
    """
    return unicodedata.normalize("NFC", text)
