"""Colour words: which pixel is which colour, by the nearest of many prototypes in CIE Lab.

Every prototype has a *name* (what a caption says), a *group* (pixels of one group are one patch of
colour of an object: dark browns, light browns, reds ...) and a *family* (the eleven basic colour
terms, which the evaluation compares). Pixels are sorted by a table over RGB, so that a photo costs
one look-up a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FAMILIES = (
    "black",
    "grey",
    "white",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
)
"""The eleven basic colour terms; brown holds tan and beige."""

Shares = Mapping[str, float]
"""Which share of some pixels each of `FAMILIES` has."""

_BITS = 6
_LIGHTNESS_WEIGHT = 0.6

# name, group, family, then the prototypes as (lightness, chroma, hue in degrees) of CIE LCh.
_TABLE: tuple[tuple[str, str, str, tuple[tuple[float, float, float], ...]], ...] = (
    ("black", "black", "black", ((4, 0, 0), (12, 3, 60), (12, 5, 280), (15, 1, 0))),
    ("dark grey", "dark grey", "grey", ((29, 2, 0), (36, 3, 90), (32, 6, 260))),
    ("grey", "grey", "grey", ((48, 2, 0), (58, 2, 90), (52, 5, 320))),
    ("bluish grey", "grey", "grey", ((50, 9, 255), (64, 9, 255))),
    ("greenish grey", "grey", "grey", ((50, 8, 140), (62, 8, 140))),
    ("silver grey", "light grey", "grey", ((67, 3, 260),)),
    ("light grey", "light grey", "grey", ((74, 2, 90), (80, 3, 260))),
    ("white", "white", "white", ((90, 2, 90), (99, 0, 0), (91, 5, 260), (95, 5, 95))),
    ("cream", "white", "white", ((91, 14, 90),)),
    ("dark brown", "dark brown", "brown", ((21, 12, 55), (26, 18, 58), (17, 11, 50))),
    (
        "brown",
        "dark brown",
        "brown",
        ((36, 25, 58), (42, 20, 65), (42, 32, 62), (34, 16, 68)),
    ),
    ("reddish brown", "dark brown", "brown", ((31, 29, 44), (40, 30, 46))),
    ("greyish brown", "dark brown", "brown", ((44, 11, 72), (36, 10, 66))),
    ("golden brown", "golden brown", "brown", ((50, 38, 68), (44, 36, 68))),
    ("light brown", "light brown", "brown", ((54, 25, 68), (56, 17, 70))),
    ("tan", "light brown", "brown", ((66, 25, 72), (68, 17, 74), (64, 32, 66))),
    (
        "beige",
        "light brown",
        "brown",
        ((79, 15, 80), (78, 22, 72), (73, 11, 80), (70, 16, 92)),
    ),
    ("sandy brown", "light brown", "brown", ((73, 27, 80),)),
    ("yellowish brown", "light brown", "brown", ((56, 26, 90), (62, 22, 95))),
    ("maroon", "red", "red", ((17, 24, 22), (22, 28, 14))),
    ("dark red", "red", "red", ((28, 42, 28), (33, 44, 30))),
    ("brick red", "red", "red", ((43, 43, 36),)),
    ("red", "red", "red", ((42, 60, 32), (48, 56, 24), (50, 62, 34))),
    ("bright red", "red", "red", ((52, 80, 38),)),
    ("rust", "orange", "orange", ((42, 46, 53),)),
    ("burnt orange", "orange", "orange", ((50, 54, 58),)),
    ("orange", "orange", "orange", ((64, 66, 62), (60, 58, 55), (62, 52, 63))),
    ("bright orange", "orange", "orange", ((68, 84, 64),)),
    ("pale orange", "orange", "orange", ((78, 44, 68),)),
    ("peach", "orange", "orange", ((81, 32, 62),)),
    ("golden", "yellow", "yellow", ((64, 50, 78), (70, 44, 80), (58, 50, 78))),
    ("golden yellow", "yellow", "yellow", ((75, 66, 81),)),
    ("mustard yellow", "yellow", "yellow", ((58, 46, 88), (64, 54, 90), (52, 40, 84))),
    ("yellow", "yellow", "yellow", ((84, 66, 91), (78, 50, 90))),
    ("bright yellow", "yellow", "yellow", ((88, 86, 94),)),
    ("pale yellow", "yellow", "yellow", ((92, 34, 97), (85, 36, 88))),
    (
        "olive",
        "olive",
        "green",
        ((38, 26, 103), (46, 32, 104), (28, 18, 100), (54, 36, 104)),
    ),
    ("dark green", "green", "green", ((22, 15, 130), (30, 24, 132), (26, 14, 150))),
    (
        "green",
        "green",
        "green",
        ((44, 36, 130), (50, 44, 134), (42, 28, 122), (54, 36, 122)),
    ),
    ("greyish green", "green", "green", ((48, 16, 122), (38, 14, 125), (60, 18, 122))),
    ("bright green", "green", "green", ((64, 62, 130), (58, 56, 138), (72, 72, 124))),
    ("light green", "light green", "green", ((76, 32, 125), (70, 28, 118))),
    ("pale green", "light green", "green", ((86, 18, 125), (76, 14, 128))),
    ("yellowish green", "light green", "green", ((68, 50, 110), (78, 56, 106))),
    ("sea green", "green", "green", ((58, 28, 165), (46, 24, 168))),
    ("turquoise", "turquoise", "blue", ((66, 34, 200), (76, 28, 200), (58, 30, 210))),
    ("teal", "turquoise", "blue", ((44, 24, 205), (34, 18, 205))),
    ("pale blue", "light blue", "blue", ((84, 13, 248), (88, 10, 240))),
    ("light blue", "light blue", "blue", ((74, 22, 250), (68, 20, 255))),
    ("sky blue", "light blue", "blue", ((66, 34, 258), (74, 32, 245))),
    ("greyish blue", "blue", "blue", ((50, 17, 260), (40, 16, 262), (60, 16, 260))),
    ("blue", "blue", "blue", ((46, 42, 272), (42, 32, 268), (54, 32, 262))),
    ("bright blue", "blue", "blue", ((52, 56, 276), (58, 46, 265))),
    ("deep blue", "blue", "blue", ((30, 52, 290), (34, 66, 298))),
    ("dark blue", "blue", "blue", ((26, 24, 272), (30, 34, 278))),
    ("navy blue", "blue", "blue", ((14, 16, 282),)),
    ("purple", "purple", "purple", ((40, 42, 315), (46, 34, 318))),
    ("dark purple", "purple", "purple", ((20, 22, 312), (28, 26, 318))),
    ("violet", "purple", "purple", ((46, 56, 305), (38, 60, 308))),
    ("lavender", "purple", "purple", ((72, 22, 305), (62, 24, 302))),
    ("mauve", "purple", "purple", ((56, 22, 328),)),
    ("plum", "purple", "purple", ((30, 28, 338),)),
    ("magenta", "pink", "pink", ((50, 66, 345), (54, 62, 335))),
    ("deep pink", "pink", "pink", ((54, 56, 5), (50, 46, 8))),
    ("pink", "pink", "pink", ((72, 32, 5), (64, 36, 10), (70, 40, 350))),
    ("pale pink", "pink", "pink", ((86, 14, 10), (82, 20, 15))),
    ("salmon pink", "pink", "pink", ((68, 38, 34),)),
    ("dusty pink", "pink", "pink", ((58, 22, 16), (66, 18, 20))),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The prototypes as arrays: P prototypes, N names, G groups."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    lab: NDArray[np.float32]  # (P, 3)
    name: NDArray[np.intp]  # (P,) index into names
    group_of_name: NDArray[np.intp]  # (N,)
    family_of_name: NDArray[np.intp]  # (N,)


@dataclass(frozen=True, slots=True)
class Table:
    """For each of the 2^18 RGB cells: Lab, name index; look up with `cells`."""

    lab: NDArray[np.float32]  # (2^18, 3)
    name: NDArray[np.uint8]  # (2^18,)


@cache
def palette() -> Palette:
    """The prototypes of all names, made once."""
    names, groups, rows, owner, group_of, family_of = [], [], [], [], [], []
    for index, (name, group, family, prototypes) in enumerate(_TABLE):
        names.append(name)
        if group not in groups:
            groups.append(group)
        group_of.append(groups.index(group))
        family_of.append(FAMILIES.index(family))
        for lightness, chroma, hue in prototypes:
            angle = np.deg2rad(hue)
            rows.append((lightness, chroma * np.cos(angle), chroma * np.sin(angle)))
            owner.append(index)
    return Palette(
        tuple(names),
        tuple(groups),
        np.array(rows, np.float32),
        np.array(owner, np.intp),
        np.array(group_of, np.intp),
        np.array(family_of, np.intp),
    )


def rgb_to_lab(rgb: NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn sRGB in 0..1, (..., 3), into CIE Lab under D65, (..., 3) float32."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def nearest(lab: NDArray[np.float32], names: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
    """Give the index of the nearest name for Lab rows (M, 3); `names` (N,) allows only some."""
    colours = palette()
    scale = np.array([np.sqrt(_LIGHTNESS_WEIGHT), 1, 1], np.float32)
    rows = slice(None) if names is None else names[colours.name]
    prototypes, owner = colours.lab[rows] * scale, colours.name[rows]
    points = lab * scale
    distance = (prototypes**2).sum(1) - 2 * points @ prototypes.T  # (M, P), less the point's square
    found: NDArray[np.intp] = owner[distance.argmin(1)]
    return found


@cache
def table() -> Table:
    """The look-up table over RGB, made once."""
    steps = (np.arange(1 << _BITS) + 0.5) / (1 << _BITS)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = rgb_to_lab(rgb)
    name = np.concatenate([nearest(part) for part in np.array_split(lab, 32)])
    return Table(lab, name.astype(np.uint8))


def cells(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the cell of `table` for uint8 RGB pixels (..., 3) as (...)."""
    high = (pixels >> (8 - _BITS)).astype(np.int32)
    cell: NDArray[np.int32] = (high[..., 0] << (2 * _BITS)) | (high[..., 1] << _BITS) | high[..., 2]
    return cell


def family_shares(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Give the share of each family among the pixels (h, w, 3) under the mask (h, w)."""
    inside = pixels[mask]
    if not len(inside):
        return dict.fromkeys(FAMILIES, 0.0)
    family = palette().family_of_name[table().name[cells(inside)]]
    counts = np.bincount(family, minlength=len(FAMILIES)) / len(family)
    return dict(zip(FAMILIES, counts.tolist(), strict=True))


class RegionColours(NamedTuple):
    """Which colours a region's pixels have, and which its whole picture's."""

    region: Shares
    picture: Shares


def region_colours(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> RegionColours:
    """Count the colours of a picture (h, w, 3) with a region's mask (h, w)."""
    return RegionColours(family_shares(pixels, mask), family_shares(pixels, np.ones_like(mask)))
