"""Figures of a photo that need no network: sharpness, brightness, colour, detail, a border."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE: Final = 128
"""Photos are measured with no side much longer: what a network does not see is no cause."""
_BLUR: Final = 9
"""Pixels that the blur of the sharpness averages."""
_FLAT: Final = 10.0
"""Root mean square of a row's differences from a colour, of 255, up to which it has that colour."""
_STEP: Final = 20.0
"""Least difference, of 255, between a border and what it surrounds."""
_MIXED: Final = 3
"""Rows, the first beyond a border, that JPEG may mix with it."""
_LENGTH: Final = 0.75
"""Share of a border's length along which it must end in a step; a backdrop behind an object does
so along a part of it."""
_WIDEST: Final = 1 / 3
"""Share of a side that a band takes at most."""
_EDGE: Final = 0.05
"""Share of the detail outside its box on each of the four sides."""
_DIGITS: Final = 3


def attributes_of(image: Image.Image) -> Mapping[str, float]:
    """Return figures of an RGB image by name; each is defined for every image.

    `sharpness` 0 to 1: one minus the perceptual blur of Crete et al. 2007 (doi 10.1117/12.702790),
    which does not depend on contrast; `brightness` and `contrast`: mean and standard deviation of
    the luma in percent; `chroma`: mean distance from grey in percent, with `red` (against green)
    and `blue` (against yellow) the mean colour difference, signed; `noise`: standard deviation in
    percent after Immerkaer 1996 (doi 10.1006/cviu.1996.0060), texture included; `border`: share of
    the picture that is flat bands along opposite sides, which end in a step; `detail`: share of the
    picture of the box that holds the middle nine tenths of the luma's squared gradient along either
    axis, small where a small object stands before plain or blurred surroundings.
    """
    factor = max(1, round(max(image.size) / _SIDE))
    small = image.reduce(factor) if factor > 1 else image
    pixels = np.asarray(small.convert("YCbCr"), np.float32)  # (H, W, 3)
    luma, tints = pixels[..., 0], pixels[..., 1:] - 128
    figures = {
        "sharpness": _sharpness(luma),
        "brightness": luma.mean() / 2.55,
        "contrast": luma.std() / 2.55,
        "chroma": np.hypot(tints[..., 0], tints[..., 1]).mean() / 1.28,
        "red": tints[..., 1].mean() / 1.28,
        "blue": tints[..., 0].mean() / 1.28,
        "noise": _noise(luma) / 2.55,
        "border": _border(pixels),
        "detail": _detail(luma),
    }
    return {name: round(float(value), _DIGITS) for name, value in figures.items()}


def _sharpness(luma: NDArray[Any]) -> float:
    """Return one minus the share of the neighbours' differences that a strong blur leaves."""
    kept = []
    for values in (luma, luma.T):
        if len(values) <= _BLUR:
            continue
        sums = np.cumsum(np.pad(values, ((_BLUR // 2 + 1, _BLUR // 2), (0, 0)), "edge"), axis=0)
        blurred = (sums[_BLUR:] - sums[:-_BLUR]) / _BLUR
        before, after = np.abs(np.diff(values, axis=0)), np.abs(np.diff(blurred, axis=0))
        total = float(before.sum())
        kept.append(1 - float((before - after).clip(min=0).sum()) / total if total else 1.0)
    return 1 - max(kept, default=1.0)


def _noise(luma: NDArray[Any]) -> float:
    """Return the standard deviation of the noise, by a mask that ignores planes and edges."""
    if min(luma.shape) < 3:
        return 0.0
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    both = across[:-2] - 2 * across[1:-1] + across[2:]
    return float(np.sqrt(np.pi / 2) * np.abs(both).mean() / 6)


def _detail(luma: NDArray[Any]) -> float:
    """Return the share of a picture (H, W) that the box of its detail covers, 1 without detail."""
    down, right = np.diff(luma, axis=0)[:, :-1], np.diff(luma, axis=1)[:-1]
    energy = down**2 + right**2
    if not energy.sum():
        return 1.0
    share = 1.0
    for axis in (0, 1):
        held = np.concatenate([[0.0], np.cumsum(energy.sum(axis, dtype=np.float64))])
        places = np.linspace(0, 1, len(held))
        low, high = np.interp([_EDGE, 1 - _EDGE], held / held[-1], places)
        share *= float(high - low)
    return share


def _border(pixels: NDArray[Any]) -> float:
    """Return the share of a picture (H, W, 3) in flat bands along two or four of its sides."""
    sides = [
        _band(view)
        for turned in (pixels, pixels.transpose(1, 0, 2))
        for view in (turned, turned[::-1])
    ]
    inner = 1.0
    for first, second, length in (
        (*sides[:2], len(pixels)),
        (*sides[2:], pixels.shape[1]),
    ):
        if first and second:
            inner *= max(0.0, 1 - (first + second) / length)
    return 1 - inner


def _band(pixels: NDArray[Any]) -> int:
    """Return how many rows from the first are of one colour, 0 unless they end in a step."""
    if pixels[0, :, 0].std() > _FLAT:  # as in most photos: no need to look further
        return 0
    colour = np.median(pixels[0], axis=0)
    away = np.abs(pixels - colour).max(-1)  # (H, W)
    flat = np.sqrt((away**2).mean(1)) <= _FLAT
    rows = len(flat) if flat.all() else int(np.argmin(flat))
    if not rows or rows > _WIDEST * len(flat):
        return 0
    beyond = np.quantile(away[rows : rows + _MIXED].max(0), 1 - _LENGTH)
    return rows if beyond >= _STEP else 0
