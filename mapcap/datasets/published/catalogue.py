"""The published data sets that `mapcap fetch` knows, as data: a line each in `CATALOGUE`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

ALL: Final = "all"
"""The part of a data set that is the whole."""

_POSTER: Final = MappingProxyType(
    {
        "n01629819": "European fire salamander",
        "n01774750": "tarantula",
        "n01855672": "goose",
        "n01984695": "spiny lobster",
        "n02123045": "tabby",
        "n02124075": "Egyptian cat",
        "n02129165": "lion",
        "n02279972": "monarch",
        "n02730930": "apron",
        "n02823428": "beer bottle",
        "n03250847": "drumstick",
        "n03617480": "kimono",
        "n03814639": "neck brace",
        "n03902125": "pay-phone",
        "n03970156": "plunger",
        "n03977966": "police van",
        "n03992509": "potter's wheel",
        "n04179913": "sewing machine",
        "n04275548": "spider web",
        "n04376876": "syringe",
        "n04417672": "thatch",
        "n07720875": "bell pepper",
        "n07749582": "lemon",
        "n07753592": "banana",
        "n07768694": "pomegranate",
    }
)
_POSTER_PHOTO: Final = re.compile(r"(n\d{8})_4\d\d\.JPEG")
"""The poster took the photos 400 to 499 of each class."""
_IMAGENETTE: Final = MappingProxyType(
    {
        "n01440764": "tench",
        "n02102040": "English springer",
        "n02979186": "cassette player",
        "n03000684": "chain saw",
        "n03028079": "church",
        "n03394916": "French horn",
        "n03417042": "garbage truck",
        "n03425413": "gas pump",
        "n03445777": "golf ball",
        "n03888257": "parachute",
    }
)


@dataclass(frozen=True)
class Archive:
    """A file that is downloaded."""

    url: str
    megabytes: float
    """Its size, about: what to expect before the server tells."""
    md5: str | None = None
    """Where it is published; otherwise what came is recorded, not checked."""


@dataclass(frozen=True)
class Part:
    """What is taken of a data set's archives."""

    place: Callable[[PurePosixPath], PurePosixPath | None]
    """Where a member of an archive goes, relative to the folder; None = it is left out."""
    megabytes: float
    """Room that it takes on a disk, about."""
    images: int | None = None
    """Photos that there must be, where that is known."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files that MapCap writes beside them."""


@dataclass(frozen=True)
class Published:
    """A data set: its archives, what can be taken of them, and under which terms."""

    archives: tuple[Archive, ...]
    parts: Mapping[str, Part]
    terms: str
    photos: str = ""
    """Folder of it that `mapcap index` takes; empty: the whole."""


def _tiny_imagenet(member: PurePosixPath) -> PurePosixPath | None:
    """Take all but `test`, which has no classes."""
    inner = PurePosixPath(*member.parts[1:])
    return inner if inner.parts and inner.parts[0] != "test" else None


def _poster(member: PurePosixPath) -> PurePosixPath | None:
    match PurePosixPath(*member.parts[1:]).parts:
        case ("train", wnid, name) if wnid in _POSTER and name == f"{wnid}_boxes.txt":
            pass
        case ("train", wnid, "images", name) if wnid in _POSTER and _POSTER_PHOTO.fullmatch(name):
            pass
        case _:
            return None
    return PurePosixPath(*member.parts[1:])


def _imagenette(member: PurePosixPath) -> PurePosixPath | None:
    match member.parts:
        case (_, split, wnid, name) if wnid in _IMAGENETTE:
            return PurePosixPath(split, _IMAGENETTE[wnid], name)
    return None


def _flickr8k(member: PurePosixPath) -> PurePosixPath | None:
    if member.name.startswith(".") or member.parts[0] == "__MACOSX":
        return None
    if member.suffix == ".jpg":
        return PurePosixPath("photos", member.name)
    return PurePosixPath("texts", member.name) if member.suffix == ".txt" else None


CATALOGUE: Mapping[str, Published] = MappingProxyType(
    {
        "tiny-imagenet": Published(
            archives=(
                Archive(
                    "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
                    248.1,
                    "90528d7ca1a48142e341f4ef8d21d0de",
                ),
            ),
            parts={
                ALL: Part(_tiny_imagenet, megabytes=480, images=110_000),
                "poster": Part(
                    _poster,
                    megabytes=11,
                    images=2_500,
                    texts={"words.txt": "".join(f"{wnid}\t{_POSTER[wnid]}\n" for wnid in _POSTER)},
                ),
            },
            terms="photos of ImageNet: for research that is not commercial",
        ),
        "imagenette": Published(
            archives=(
                Archive(
                    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
                    99,
                    "e793b78cc4c9e9a4ccc0c1155377a412",
                ),
            ),
            parts={ALL: Part(_imagenette, megabytes=130)},
            terms="photos of ImageNet: for research that is not commercial",
            photos="val",
        ),
        "flickr8k": Published(
            archives=(
                Archive(
                    "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
                    "Flickr8k_Dataset.zip",
                    1_115,
                ),
                Archive(
                    "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
                    "Flickr8k_text.zip",
                    2.3,
                ),
            ),
            parts={ALL: Part(_flickr8k, megabytes=1_140)},
            terms="photos of Flickr's users: for research and teaching; no classes, five captions "
            "each",
        ),
    }
)
"""By name. The checksums are those that torchvision and many readers of the data set publish."""
