"""Light, surroundings, size and place, in the words that `phrases` has tables for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .salience import Colour

_SKY = frozenset({"pale blue", "light blue", "sky blue", "blue", "bright blue"})
_GROUND = frozenset({"beige", "tan", "sandy brown", "light brown"})


@dataclass(frozen=True, slots=True)
class Scenes:
    """Measures of N pictures, (N,) each; lightness in units of L, 0 to 100."""

    light: NDArray[np.floating]  # mean lightness of the picture
    spread: NDArray[np.floating]  # its standard deviation
    plain: NDArray[np.bool_]  # the region is of one lightness
    outer_light: NDArray[np.floating]  # mean lightness outside the mask
    rough: NDArray[np.floating]  # mean step between neighbours outside the mask
    upper: NDArray[np.floating]  # share of the outside that lies in the upper half


def look(light: NDArray[np.float32], inside: NDArray[np.bool_]) -> Scenes:
    """Measure pictures of lightness (N, h, w) with masks (N, h, w)."""
    outside = ~inside
    room = np.maximum(outside.sum((1, 2)), 1)
    steps = np.abs(light[:, 1:, :-1] - light[:, :-1, :-1])
    steps += np.abs(light[:, :-1, 1:] - light[:, :-1, :-1])
    # A step from the object to the outside is not the outside's.
    clear = outside[:, :-1, :-1] & outside[:, 1:, :-1] & outside[:, :-1, 1:]
    area = inside.sum((1, 2))
    mean = (light * inside).sum((1, 2)) / area
    square = (light**2 * inside).sum((1, 2)) / area
    return Scenes(
        light=light.mean((1, 2)),
        spread=light.std((1, 2)),
        plain=np.sqrt(np.maximum(square - mean**2, 0)) < 7,
        outer_light=(light * outside).sum((1, 2)) / room,
        rough=(steps * clear).sum((1, 2)) / np.maximum(clear.sum((1, 2)), 1),
        upper=outside[:, : light.shape[1] // 2].sum((1, 2)) / room,
    )


def light_word(scenes: Scenes, i: int) -> str:
    """Name the light of picture i where it is special, else ""."""
    mean, spread = scenes.light[i], scenes.spread[i]
    if mean < 30:
        return "dark" if mean < 20 else "dim"
    if mean > 76:
        return "bright"
    if spread > 31:
        return "contrast"
    return "soft" if spread < 11 else ""


def setting(scenes: Scenes, i: int, surroundings: tuple[Colour, ...]) -> str:
    """Name what the surroundings of picture i look like, "" for nothing special."""
    if not surroundings:
        return ""
    rough, first = scenes.rough[i], surroundings[0]
    green = sum(colour.share for colour in surroundings if colour.family == "green")
    mostly = first.share > 0.5
    if scenes.outer_light[i] < 18 or (first.family == "black" and first.share > 0.6):
        return "dark"
    if green > 0.45 and rough > 5:
        return "leaves" if rough > 9 else "grass"
    if mostly and first.name in _SKY and rough < 6 and scenes.upper[i] > 0.45:
        return "sky"
    if mostly and first.name in _GROUND and 4 < rough < 11:
        return "sand"
    if first.family == "white" and first.share > 0.6 and rough < 7:
        return "white"
    if rough < 3.5:
        return "plain" if mostly else "blurred"
    return "busy" if rough > 14 else ""


def frame(x0: float, y0: float, x1: float, y1: float) -> tuple[str, str, str]:
    """Name size, shape and place of a box in fractions of the frame."""
    wide, high = x1 - x0, y1 - y0
    area = wide * high
    size = "close" if area > 0.8 else "large" if area > 0.5 else "small" if area < 0.12 else ""
    shape = "tall" if high > 1.8 * wide else "wide" if wide > 1.8 * high else ""
    sideways, upright = (x0 + x1) / 2 - 0.5, (y0 + y1) / 2 - 0.5
    if max(abs(sideways), abs(upright)) < 0.17:
        return size, shape, ""
    if abs(sideways) >= abs(upright):
        return size, shape, "left" if sideways < 0 else "right"
    return size, shape, "top" if upright < 0 else "bottom"
