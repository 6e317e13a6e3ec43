"""Pictures of relevance: a photo with its grid laid over it, and regions outlined.

A grid covers what the network saw of the photo, and so do the pictures drawn here. How that came
about is the run's `resize_mode`: `shortest` cut out the centre square, `longest` padded to a
square, `squash` changed the aspect.
"""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL.Image import Image as Picture
from PIL.Image import Resampling

from db.records import Image, Region
from mapcap.datasets.decoding import decode as decode_file
from mapcap.datasets.sample import SAMPLE, sample_path
from mapcap.datasets.tables import TABLES

SIDE: Final = 256
STRENGTH: Final = 0.6
"""How much of the colours an overlay has, where nobody chooses."""
_LINE: Final = 5
_LARGEST_THUMBNAIL: Final = 1024
# Anchors of the colour scale, from no relevance to the most.
_SCALE: Final = np.array(
    [[0, 0, 40], [90, 20, 140], [220, 40, 90], [255, 140, 20], [255, 250, 120]], np.float32
)


def decode(blob: bytes | None) -> Picture | None:
    """Return a stored thumbnail as RGB, None if there is none or it is damaged."""
    if blob is None:
        return None
    try:
        with Pictures.open(BytesIO(blob), formats=["WEBP"]) as opened:
            # A few bytes can ask for a gigabyte; what MapCap stores is far smaller.
            return opened.convert("RGB") if max(opened.size) <= _LARGEST_THUMBNAIL else None
    except (OSError, ValueError, Pictures.DecompressionBombError):
        return None


def place_of(image: Image, source: str | None) -> Path:
    """Return where a photo lies: its path, below the folder or the manifest that was indexed."""
    if source is None:
        return Path(image.path)
    root = sample_path() if source == SAMPLE else Path(source)
    if root.suffix.lower() in TABLES and not root.is_dir():
        root = root.parent
    return root / image.path


def original(image: Image, source: str | None) -> Picture | None:
    """Return the photo itself if it is there with the content that was indexed."""
    place = place_of(image, source)
    try:
        if not place.is_file() or place.stat().st_size != image.file_size:
            return None
        data = place.read_bytes()
        if image.content_hash not in (None, hashlib.sha256(data).hexdigest()):
            return None
        return decode_file(data, least=(2 * SIDE, 2 * SIDE))
    except Exception:  # as where it is indexed: Pillow's readers raise nearly anything
        return None


def square(photo: Picture, resize_mode: str = "shortest", side: int = SIDE) -> Picture:
    """Return what the network saw of a photo, as side x side pixels."""
    if resize_mode == "squash":
        return photo.resize((side, side), Resampling.BILINEAR)
    wanted = max(photo.size) if resize_mode == "longest" else min(photo.size)
    left, top = (photo.width - wanted) // 2, (photo.height - wanted) // 2
    box = (left, top, left + wanted, top + wanted)
    # Cut first: a resize of a box would mix in what lies beside it. Beyond the photo it is black.
    return photo.crop(box).resize((side, side), Resampling.BILINEAR)


def colours(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return the colours (..., 3) in [0, 255] of relevances (...) in [0, 1]."""
    steps = len(_SCALE) - 1
    at = np.clip(values, 0, 1).astype(np.float32) * steps
    low = np.minimum(at.astype(np.int64), steps - 1)
    part = (at - low)[..., None]
    mixed: NDArray[np.float32] = _SCALE[low] * (1 - part) + _SCALE[low + 1] * part
    return mixed


def overlay(
    photo: Picture, grid: NDArray[np.float16], strength: float, resize_mode: str = "shortest"
) -> Picture:
    """Return what the network saw with a grid (rows, columns) over it; `strength` in [0, 1]."""
    base = square(photo, resize_mode)
    # A damaged file may hold NaN.
    finite = np.nan_to_num(grid.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    wide = Pictures.fromarray(np.clip(finite, 0, 1)).resize(base.size, Resampling.BILINEAR)
    values = np.asarray(wide)  # (H, W)
    weight = (strength * np.sqrt(values))[..., None]
    mixed = np.asarray(base, np.float32) * (1 - weight) + colours(values) * weight  # (H, W, 3)
    return Pictures.fromarray(mixed.round().astype(np.uint8))


def outlines(
    photo: Picture, regions: Sequence[Region], inks: Sequence[str], resize_mode: str = "shortest"
) -> Picture:
    """Return what the network saw with the edges of regions, each in its ink (#rrggbb)."""
    base = np.array(square(photo, resize_mode))  # (H, W, 3)
    for region, ink in zip(regions, inks, strict=True):
        if not region.mask.size:
            continue
        small = Pictures.fromarray(region.mask.astype(np.uint8) * 255)
        mask = np.asarray(small.resize((SIDE, SIDE), Resampling.NEAREST)) > 0
        base[mask & ~_shrunk(mask)] = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
    return Pictures.fromarray(base)


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without the pixels within `_LINE` of its edge; the border is an edge."""
    padded = np.pad(mask, _LINE)
    height, width = mask.shape
    inner = mask.copy()
    for step in (-_LINE, _LINE):
        inner &= padded[_LINE + step : _LINE + step + height, _LINE : _LINE + width]
        inner &= padded[_LINE : _LINE + height, _LINE + step : _LINE + step + width]
    return inner
