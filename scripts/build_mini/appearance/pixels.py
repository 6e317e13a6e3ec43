"""From pixels and a mask to an `Appearance`: colours, light, pattern, surroundings, size, place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .colours import FAMILIES, cells, nearest, palette, table
from .texture import Textures, measure, windows

_CHUNK = 512
_COLOUR_SIDE = 28  # colours are read from blocks of pixels about this many to a side
_LEAST_MAIN = 0.15  # share of the region that a main colour's family must cover
_LEAST_OTHER = 0.12
_LEAST_AROUND = 0.25
_LEAST_ACCENT = 0.05
_VIVID = 28  # chroma from which a small part of an object catches the eye
_ALIKE = 17  # distance in Lab below which two colours of an object are told as one
_FAINT = 4  # spread of fine lightness below which there is no pattern
_EVEN = 0.6
_LEAST_OUTSIDE = (
    0.12  # share of the frame below which nothing is said of the surroundings
)


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour of a region: its name, its basic colour term, its share of the region."""

    name: str
    family: str
    share: float


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


@dataclass(frozen=True, slots=True)
class _Region:
    """Colour statistics of N regions over G groups."""

    salience: NDArray[np.floating]  # (N, G) share, weighted
    share: NDArray[np.floating]  # (N, G)
    name: NDArray[np.intp]  # (N, G) index of the name
    lab: NDArray[np.floating]  # (N, G, 3) mean, towards the vivid


def analyse(pixels: NDArray[np.uint8], mask: NDArray[np.generic]) -> Appearance:
    """Analyse one picture (h, w, 3); the mask as in `analyse_batch`, without its first axis."""
    return analyse_batch(pixels[None], np.asarray(mask)[None])[0]


def analyse_batch(
    pixels: NDArray[np.uint8], masks: NDArray[np.generic]
) -> list[Appearance]:
    """Analyse pictures (N, h, w, 3) uint8, at least 16 pixels a side.

    `masks` is (N, 4), boxes x0 y0 x1 y1 as fractions of the frame, or boolean (N, h, w), or boolean
    (N, gh, gw) on a coarser grid of patches. An empty mask means the whole frame.
    """
    found: list[Appearance] = []
    for start in range(0, len(pixels), _CHUNK):
        part = pixels[start : start + _CHUNK]
        found += _analyse(
            part, full_masks(masks[start : start + _CHUNK], part.shape[1:3])
        )
    return found


def full_masks(masks: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Turn boxes (N, 4) or boolean grids (N, gh, gw) into masks (N, h, w); an empty one into all."""
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
    blocks, inside = _reduce(pixels, mask)
    cell = cells(blocks)
    lab, name = table().lab[cell], table().name[cell]
    boxes = _boxes(inside)
    weight = _weights(lab, inside, boxes)
    own = _statistics(lab, name, weight, inside)
    outside = ~inside
    around = _statistics(lab, name, outside * (0.5 + _chroma(lab) / 40), outside)
    room = outside.mean((1, 2))
    light = table().lab[cells(pixels)][..., 0]
    scale = pixels.shape[1] / inside.shape[1]
    texture = measure(windows(light, boxes * scale))
    scenes = _Scenes(lab, inside, around, room)
    frames = _frames(boxes / [*inside.shape[2:0:-1], *inside.shape[2:0:-1]])
    plain = _plain(lab[..., 0], inside)
    out = []
    for i in range(len(pixels)):
        colours, accents = _object_colours(own, around, i, float(room[i]))
        pattern = _pattern(texture, i, bool(plain[i]))
        surroundings = _surroundings(around, i, float(room[i]))
        size, shape, place = frames[i]
        light_word = scenes.light(i)
        setting = scenes.setting(i, surroundings)
        out.append(
            Appearance(
                colours,
                accents,
                surroundings,
                light_word,
                pattern,
                setting,
                size,
                shape,
                place,
            )
        )
    return out


def _reduce(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Average square blocks of pixels, so that noise does not name colours; masks by majority."""
    count, height, width, _ = pixels.shape
    step = max(1, min(height, width) // _COLOUR_SIDE)
    rows, columns = height // step, width // step
    shape = (count, rows, step, columns, step)
    cut = pixels[:, : rows * step, : columns * step]
    blocks = cut.reshape(*shape, 3).mean((2, 4)).round().astype(np.uint8)
    inside = mask[:, : rows * step, : columns * step].reshape(shape).mean((2, 4)) >= 0.5
    inside[~inside.any((1, 2))] = True
    return blocks, inside


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


def _chroma(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.hypot(lab[..., 1], lab[..., 2])


def _weights(
    lab: NDArray[np.float32], inside: NDArray[np.bool_], boxes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weigh each pixel of a region by its saturation and by how near it is to the box's middle."""
    _, height, width = inside.shape
    x0, y0, x1, y1 = (boxes[:, i, None] for i in range(4))
    u = (2 * (np.arange(width) + 0.5) - x0 - x1) / (
        x1 - x0
    )  # (N, w), -1..1 over the box
    v = (2 * (np.arange(height) + 0.5) - y0 - y1) / (y1 - y0)
    central = np.exp(-1.3 * (v[:, :, None] ** 2 + u[:, None, :] ** 2))
    extreme = 0.25 * ((lab[..., 0] < 14) | (lab[..., 0] > 90))
    vivid = 0.45 + np.minimum(_chroma(lab), 60) / 30 + extreme
    weights: NDArray[np.float64] = inside * central * vivid
    return weights


def _statistics(
    lab: NDArray[np.float32],
    name: NDArray[np.uint8],
    weight: NDArray[np.floating],
    inside: NDArray[np.bool_],
) -> _Region:
    """Sum up the colour groups of the pixels under the masks, and name each group's colour."""
    colours = palette()
    count, groups = len(lab), len(colours.groups)
    group = colours.group_of_name[name].reshape(count, -1)
    key = (group + groups * np.arange(count)[:, None]).ravel()

    def total(weights: NDArray[np.generic]) -> NDArray[np.float64]:
        summed = np.bincount(
            key, weights.ravel().astype(np.float64), minlength=count * groups
        )
        return summed.reshape(count, groups)

    salience, area = total(weight), total(inside)
    vivid = weight * (0.3 + _chroma(lab) / 30)
    norm = total(vivid)
    mean = np.stack([total(vivid * lab[..., i]) for i in range(3)], -1)
    mean /= np.maximum(norm, 1e-9)[..., None]
    names = np.zeros((count, groups), np.intp)
    for index in range(groups):
        present = area[:, index] > 0
        if present.any():
            allowed = colours.group_of_name == index
            rows = mean[present, index].astype(np.float32)
            names[present, index] = nearest(rows, allowed)
    return _Region(
        salience / np.maximum(salience.sum(1, keepdims=True), 1e-9),
        area / np.maximum(area.sum(1, keepdims=True), 1e-9),
        names,
        mean,
    )


def _colour(region: _Region, i: int, group: int) -> Colour:
    """Make the colour of one group of one region."""
    colours = palette()
    name = region.name[i, group]
    return Colour(
        colours.names[name],
        FAMILIES[colours.family_of_name[name]],
        round(float(region.share[i, group]), 3),
    )


def _object_colours(
    own: _Region, around: _Region, i: int, room: float
) -> tuple[tuple[Colour, ...], tuple[Colour, ...]]:
    """Choose the object's colours: salient in the region, and more so than around it.

    Gives one to three colours and at most one accent.
    """
    share, lab = own.share[i], own.lab[i]
    outer = around.share[i] * min(1.0, room / 0.3)
    lift = np.clip(((share + 0.06) / (outer + 0.06)) ** 0.9, 0.35, 2.8)
    score = own.salience[i] * lift
    family = _family_of_group()
    covered = np.bincount(family, share, minlength=len(FAMILIES))[family]
    able = (covered >= _LEAST_MAIN) & (share >= _LEAST_MAIN / 2)
    main = int(np.where(able, score, score * 1e-3).argmax())
    chosen: list[int] = [main]
    accents: list[int] = []
    for group in np.argsort(-score).tolist():
        if np.linalg.norm(lab[group] - lab[chosen], axis=-1).min() < _ALIKE:
            continue
        first, second = (
            (0.33, _LEAST_OTHER) if len(chosen) == 1 else (0.45, _LEAST_OTHER + 0.03)
        )
        if (
            score[group] >= first * score[main]
            and share[group] >= second
            and len(chosen) < 3
        ):
            chosen.append(group)
        elif (
            share[group] >= _LEAST_ACCENT
            and lift[group] >= 1
            and np.hypot(*lab[group, 1:]) > _VIVID
            and family[group] not in family[chosen]
        ):
            accents.append(group)
    return tuple(_colour(own, i, g) for g in chosen), tuple(
        _colour(own, i, g) for g in accents[:1]
    )


@cache
def _family_of_group() -> NDArray[np.intp]:
    """Give the family of each colour group, (G,)."""
    colours = palette()
    family = np.zeros(len(colours.groups), np.intp)
    family[colours.group_of_name] = colours.family_of_name
    return family


def _surroundings(around: _Region, i: int, room: float) -> tuple[Colour, ...]:
    """Choose up to two colours outside the mask, the greatest first."""
    if room < _LEAST_OUTSIDE:
        return ()
    score = 0.5 * (around.share[i] + around.salience[i])
    order = [
        int(g) for g in np.argsort(-score)[:2] if around.share[i, g] >= _LEAST_AROUND
    ]
    first = order or [int(score.argmax())]
    return tuple(_colour(around, i, g) for g in first)


class _Scenes:
    """Light and surroundings of N pictures, from Lab (N, h, w, 3) and masks."""

    def __init__(
        self,
        lab: NDArray[np.float32],
        inside: NDArray[np.bool_],
        around: _Region,
        room: NDArray[np.floating],
    ) -> None:
        light, outside = lab[..., 0], ~inside
        self._mean = light.mean((1, 2))
        self._spread = light.std((1, 2))
        self._around, self._room = around, room
        area = np.maximum(outside.sum((1, 2)), 1)
        self._outer_light = (light * outside).sum((1, 2)) / area
        steps = np.zeros_like(light)
        steps[:, :-1, :-1] = np.abs(light[:, 1:, :-1] - light[:, :-1, :-1]) + np.abs(
            light[:, :-1, 1:] - light[:, :-1, :-1]
        )
        clear = (
            outside.copy()
        )  # a step from the object to the outside is not the outside's
        clear[:, :-1] &= outside[:, 1:]
        clear[:, :, :-1] &= outside[:, :, 1:]
        self.rough = (steps * clear).sum((1, 2)) / np.maximum(clear.sum((1, 2)), 1)
        half = light.shape[1] // 2
        upper = outside[:, :half].sum((1, 2)) / area
        self._upper = upper

    def light(self, i: int) -> str:
        """Name the light of the whole picture, where it is special."""
        mean, spread = self._mean[i], self._spread[i]
        if mean < 20:
            return "dark"
        if mean < 30:
            return "dim"
        if mean > 76:
            return "bright"
        if spread > 31:
            return "contrast"
        return "soft" if spread < 11 else ""

    def setting(self, i: int, surroundings: tuple[Colour, ...]) -> str:
        """Name the surroundings by what they look like."""
        if not surroundings:
            return ""
        rough, first = self.rough[i], surroundings[0]
        if self._outer_light[i] < 18 or (first.family == "black" and first.share > 0.6):
            return "dark"
        green = sum(c.share for c in surroundings if c.family == "green")
        if green > 0.45 and rough > 5:
            return "leaves" if rough > 9 else "grass"
        if first.name in ("pale blue", "light blue", "sky blue", "blue", "bright blue"):
            if first.share > 0.5 and rough < 6:
                return "sky"
        if (
            first.name in ("beige", "tan", "sandy brown")
            and first.share > 0.5
            and 4 < rough < 11
        ):
            return "sand"
        if first.family == "white" and first.share > 0.6 and rough < 7:
            return "white"
        if rough < 3.5:
            return "plain" if first.share > 0.5 else "blurred"
        return "busy" if rough > 14 else ""


def _frames(boxes: NDArray[np.floating]) -> list[tuple[str, str, str]]:
    """Name size, shape and place of boxes (N, 4) in fractions of the frame."""
    return [tuple(_frame(*box)) for box in boxes.tolist()]  # type: ignore[misc]


def _frame(x0: float, y0: float, x1: float, y1: float) -> Iterator[str]:
    """Give size, shape and place of one box."""
    wide, high = x1 - x0, y1 - y0
    area = wide * high
    yield (
        "close"
        if area > 0.8
        else "large"
        if area > 0.5
        else "small"
        if area < 0.12
        else ""
    )
    yield "tall" if high > 1.8 * wide else "wide" if wide > 1.8 * high else ""
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    sideways, upright = x - 0.5, y - 0.5
    if max(abs(sideways), abs(upright)) < 0.17:
        yield ""
    elif abs(sideways) >= abs(upright):
        yield "left" if sideways < 0 else "right"
    else:
        yield "top" if upright < 0 else "bottom"


def _plain(light: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which regions are of one even lightness."""
    area = np.maximum(inside.sum((1, 2)), 1)
    mean = (light * inside).sum((1, 2)) / area
    square = (light**2 * inside).sum((1, 2)) / area
    spread: NDArray[np.bool_] = np.sqrt(np.maximum(square - mean**2, 0)) < 7
    return spread


def _pattern(texture: Textures, i: int, plain: bool) -> str:
    """Name the pattern where the measures leave little doubt."""
    energy, even, oriented = texture.energy[i], texture.even[i], texture.oriented[i]
    if plain and energy < _FAINT:
        return "plain"
    if energy < _FAINT or even < _EVEN:
        return ""
    if texture.repeats[i] > 0.28 and oriented > 0.45:
        return "striped"
    return "speckled" if texture.fine[i] > 0.42 and oriented < 0.35 else ""
