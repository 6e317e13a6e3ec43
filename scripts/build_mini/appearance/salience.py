"""Which colours a region has, which of them are the object's, and which lie around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mapcap.colours.naming import FAMILIES, cells, nearest, palette, table

_LEAST_MAIN = 0.15  # share of the region that a main colour's family must cover
_LEAST_STRANGE = 0.075  # that share for a colour that is not to be seen around the object
_LEAST_SECOND = 0.12
_LEAST_THIRD = 0.15
_LEAST_ACCENT = 0.05
_LEAST_AROUND = 0.25
_LEAST_OUTSIDE = 0.12  # share of the frame below which nothing is said of the surroundings
_STRANGE = 2.5  # lift from which a small share is the object, the rest what it lies on
_COMMON = 0.75  # lift below which a further colour is that of the surroundings
_VIVID = 28  # chroma from which a small part of an object catches the eye
_ALIKE = 17  # distance in Lab below which two colours of an object are told as one


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour of a region: its name, its basic colour term, its share of the region."""

    name: str
    family: str
    share: float


@dataclass(frozen=True, slots=True)
class Regions:
    """The colour groups of N regions."""

    share: NDArray[np.floating]  # (N, G) share of the pixels
    central: NDArray[np.floating]  # (N, G) share, pixels in the middle counting more
    salience: NDArray[np.floating]  # (N, G) the same, vivid pixels counting more still
    name: NDArray[np.intp]  # (N, G) index of the name
    lab: NDArray[np.floating]  # (N, G, 3) mean, drawn towards the vivid pixels


def object_and_around(
    pixels: NDArray[np.uint8], inside: NDArray[np.bool_], boxes: NDArray[np.floating]
) -> tuple[Regions, Regions]:
    """Sum up the colours inside the masks, and outside them or at the edge of the frame.

    `pixels` (N, h, w, 3), `inside` (N, h, w), `boxes` (N, 4) around the masks, in pixels.
    """
    lab = table().lab[cells(pixels)]
    name = table().name[cells(pixels)]
    chroma = np.hypot(lab[..., 1], lab[..., 2])  # (N, h, w)
    extreme = (lab[..., 0] < 14) | (lab[..., 0] > 90)
    vivid = 0.4 + 1.3 * (np.minimum(chroma, 70) / 35) ** 1.5 + 0.25 * extreme
    central = inside * _central(boxes, (inside.shape[1], inside.shape[2]))
    around = ~inside
    # What runs round the frame is seldom the object, even where the mask takes in everything.
    around[:, [0, -1]] = around[:, :, [0, -1]] = True
    return (
        _regions(lab, name, inside, central, vivid),
        _regions(lab, name, around, around, vivid),
    )


def _central(boxes: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.floating]:
    """Give (N, h, w) weights that fall off from the middle of each box to its edges."""
    x0, y0, x1, y1 = (boxes[:, i, None] for i in range(4))
    u = (2 * (np.arange(size[1]) + 0.5) - x0 - x1) / (x1 - x0)  # (N, w), -1..1 over the box
    v = (2 * (np.arange(size[0]) + 0.5) - y0 - y1) / (y1 - y0)
    weights: NDArray[np.floating] = np.exp(-1.3 * (v[:, :, None] ** 2 + u[:, None, :] ** 2))
    return weights


def _regions(
    lab: NDArray[np.float32],
    name: NDArray[np.uint8],
    inside: NDArray[np.bool_],
    weight: NDArray[np.floating] | NDArray[np.bool_],
    vivid: NDArray[np.floating],
) -> Regions:
    """Sum up the colour groups of the pixels under the masks, and name each group's colour.

    All but `lab` (N, h, w, 3) are (N, h, w).
    """
    colours = palette()
    count, groups = len(lab), len(colours.groups)
    group = colours.group_of_name[name].reshape(count, -1)
    key = (group + groups * np.arange(count)[:, None]).ravel()

    def total(weights: NDArray[np.floating] | NDArray[np.bool_]) -> NDArray[np.float64]:
        summed = np.bincount(key, weights.ravel().astype(np.float64), minlength=count * groups)
        return summed.reshape(count, groups)

    area, central, salience = total(inside), total(weight), total(weight * vivid)
    mean = np.stack([total(weight * vivid * lab[..., i]) for i in range(3)], axis=-1)
    mean /= np.maximum(salience, 1e-9)[..., None]
    names = np.zeros((count, groups), np.intp)
    for index in range(groups):
        present = area[:, index] > 0
        allowed = colours.group_of_name == index
        names[present, index] = nearest(mean[present, index].astype(np.float32), allowed)
    whole = central.sum(1, keepdims=True)
    return Regions(
        share=area / area.sum(1, keepdims=True),
        central=central / whole,
        salience=salience / whole,
        name=names,
        lab=mean,
    )


def _colour(regions: Regions, i: int, group: int) -> Colour:
    """Make the colour of one group of one region."""
    colours = palette()
    name = regions.name[i, group]
    family = FAMILIES[colours.family_of_name[name]]
    return Colour(colours.names[name], family, round(float(regions.share[i, group]), 3))


def object_colours(
    own: Regions, around: Regions, i: int
) -> tuple[tuple[Colour, ...], tuple[Colour, ...]]:
    """Choose the colours of object i: salient in its region, and more so than around it.

    Gives one to three colours, the most salient first, and at most one accent: a vivid colour on a
    small part.
    """
    share, lab, family = own.share[i], own.lab[i], _family_of_group()
    lift = np.clip(((share + 0.05) / (around.share[i] + 0.05)) ** 1.2, 0.3, 4)
    # Vivid surroundings are no reason to call the object by their colour.
    plain = np.minimum(own.central[i], own.salience[i])
    trust = np.clip((lift - 0.7) / 0.3, 0, 1)
    score = lift * (plain + trust * (own.salience[i] - plain))
    covered = np.bincount(family, share, minlength=len(FAMILIES))[family]
    able = (share >= _LEAST_STRANGE) & ((covered >= _LEAST_MAIN) | (lift > _STRANGE))
    chosen = [int(np.where(able, score, score * 1e-3).argmax())]
    score = score / score[chosen[0]]
    accents = []
    least = (_LEAST_MAIN, _LEAST_SECOND, _LEAST_THIRD)
    for group in np.argsort(-score).tolist():
        if np.linalg.norm(lab[group] - lab[chosen], axis=-1).min() < _ALIKE:
            continue
        strong = score[group] >= 0.33 and lift[group] > _COMMON
        if len(chosen) < 3 and strong and share[group] >= least[len(chosen)]:
            chosen.append(group)
        elif share[group] >= _LEAST_ACCENT and lift[group] >= 1:
            vivid = np.hypot(*lab[group, 1:]) > _VIVID
            if vivid and family[group] not in family[chosen]:
                accents.append(group)
    return (
        tuple(_colour(own, i, group) for group in chosen),
        tuple(_colour(own, i, group) for group in accents[:1]),
    )


def largest_families(own: Regions, i: int) -> tuple[str, ...]:
    """Name the two families that cover most of region i, the larger first."""
    covered = np.bincount(_family_of_group(), own.share[i], minlength=len(FAMILIES))
    first, second = np.argsort(-covered)[:2].tolist()
    return tuple(FAMILIES[family] for family in (first, second) if covered[family] > 0)


@cache
def _family_of_group() -> NDArray[np.intp]:
    """Give the family of each colour group, (G,)."""
    colours = palette()
    family = np.zeros(len(colours.groups), np.intp)
    family[colours.group_of_name] = colours.family_of_name
    return family


def surrounding_colours(around: Regions, i: int, room: float) -> tuple[Colour, ...]:
    """Choose up to two colours around object i, the greatest first.

    `room` is the share of the frame outside the mask; with little of it there are none.
    """
    if room < _LEAST_OUTSIDE:
        return ()
    score = around.share[i] + around.salience[i]
    first, second = np.argsort(-score)[:2].tolist()
    both = around.share[i, second] >= _LEAST_AROUND
    return tuple(_colour(around, i, group) for group in ([first, second] if both else [first]))
