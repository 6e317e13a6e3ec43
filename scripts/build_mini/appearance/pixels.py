"""From pixels and a mask to an `Appearance`: colours, light, pattern, surroundings, size, place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapcap.colours.naming import cells, table

from . import salience, scene, texture
from .salience import Colour

_CHUNK = 512
_COLOUR_SIDE = 28  # colours are read from about this many pixels to a side


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the pixels of a region and around it show; an empty string says nothing special."""

    colours: tuple[Colour, ...]
    """One to three colours of the object, the most salient first."""
    accents: tuple[Colour, ...]
    """Vivid colours on a small part of the object."""
    surroundings: tuple[Colour, ...]
    """Up to two colours outside the mask; none where there is hardly any outside."""
    light: str
    """"dark", "dim", "bright", "contrast", "soft" or ""."""
    pattern: str
    """"striped", "speckled", "plain" or ""."""
    setting: str
    """"dark", "sky", "leaves", "grass", "sand", "white", "plain", "busy", "blurred" or ""."""
    size: str
    """"close", "large", "small" or ""."""
    shape: str
    """"tall", "wide" or ""."""
    place: str
    """"left", "right", "top", "bottom" or ""."""
    largest: tuple[str, ...] = ()
    """The two basic colour terms that cover most of the region."""


def analyse(pixels: NDArray[np.uint8], mask: NDArray[np.generic]) -> Appearance:
    """Analyse one picture (h, w, 3); the mask as in `analyse_batch`, without its first axis."""
    return analyse_batch(pixels[None], np.asarray(mask)[None])[0]


def analyse_batch(pixels: NDArray[np.uint8], masks: NDArray[np.generic]) -> list[Appearance]:
    """Analyse pictures (N, h, w, 3) uint8, at least 16 pixels a side.

    `masks` is (N, 4), boxes x0 y0 x1 y1 as fractions of the frame, or boolean (N, h, w), or boolean
    (N, gh, gw) on a coarser grid of patches. An empty mask means the whole frame.
    """
    found: list[Appearance] = []
    for start in range(0, len(pixels), _CHUNK):
        part = pixels[start : start + _CHUNK]
        found += _analyse(part, full_masks(masks[start : start + _CHUNK], part.shape[1:3]))
    return found


def full_masks(masks: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Turn boxes (N, 4) or boolean grids (N, gh, gw) into masks (N, h, w), empty ones into all."""
    height, width = size
    x = (np.arange(width) + 0.5) / width
    y = (np.arange(height) + 0.5) / height
    if masks.ndim == 2:
        box = masks.astype(np.float64)[:, :, None]
        full = ((y >= box[:, 1]) & (y < box[:, 3]))[:, :, None]
        full = full & ((x >= box[:, 0]) & (x < box[:, 2]))[:, None, :]
    else:
        rows = (y * masks.shape[1]).astype(np.intp)
        columns = (x * masks.shape[2]).astype(np.intp)
        full = masks.astype(np.bool_)[:, rows[:, None], columns]
    full[~full.any((1, 2))] = True
    return full


def _analyse(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> list[Appearance]:
    """Analyse one chunk; masks at full size."""
    sample, inside = _reduce(pixels, mask)  # (N, h, w, 3), (N, h, w)
    boxes = _boxes(inside)
    own, around = salience.object_and_around(sample, inside, boxes)
    fine = table().lab[cells(pixels)][..., 0]
    scenes = scene.look(_smooth(fine, inside.shape[1:]), inside)
    textures = texture.measure(texture.windows(fine, boxes * pixels.shape[1] / inside.shape[1]))
    found = []
    for i, box in enumerate(boxes / np.array(inside.shape)[[2, 1, 2, 1]]):
        room = float((~inside[i]).mean())
        colours, accents = salience.object_colours(own, around, i)
        surroundings = salience.surrounding_colours(around, i, room)
        light, pattern = (
            scene.light_word(scenes, i),
            texture.pattern(textures, i, bool(scenes.plain[i])),
        )
        setting = scene.setting(scenes, i, surroundings)
        found.append(
            Appearance(
                colours,
                accents,
                surroundings,
                light,
                pattern,
                setting,
                *scene.frame(*box.tolist()),
                salience.largest_families(own, i),
            )
        )
    return found


def _reduce(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Take every second pixel or so, at about `_COLOUR_SIDE` to a side.

    Averages would be steadier, but mix the colours of small and striped things into brown.
    """
    step = max(1, min(pixels.shape[1:3]) // _COLOUR_SIDE)
    inside = mask[:, step // 2 :: step, step // 2 :: step].copy()
    inside[~inside.any((1, 2))] = True
    return pixels[:, step // 2 :: step, step // 2 :: step], inside


def _smooth(light: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Average lightness (N, h, w) over blocks, to `size`."""
    step = light.shape[1] // size[0]
    cut = light[:, : size[0] * step, : size[1] * step]
    return cut.reshape(-1, size[0], step, size[1], step).mean((2, 4))


def _boxes(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the box around each mask (N, h, w): x0 y0 x1 y1, the ends exclusive."""
    columns, rows = inside.any(1), inside.any(2)
    return np.stack(
        [
            columns.argmax(1),
            rows.argmax(1),
            columns.shape[1] - columns[:, ::-1].argmax(1),
            rows.shape[1] - rows[:, ::-1].argmax(1),
        ],
        axis=1,
    ).astype(np.float64)
