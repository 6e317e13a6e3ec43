"""Render a planned picture, with the masks and boxes that are the truth about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from scripts.planted.casts import CASTS, Pixels
from scripts.planted.plan import INKS, Corner, Picture, Plan
from scripts.rendering.compose import KINDS, SOLID, Box, background, compose

SIZE: Final = 160
_DARK = (0.12, 0.22)
"""What a dark background keeps of its light."""
_LARGEST_ENLARGEMENT = 1.8
_MARK_SIDE = 26
_MARK_MARGIN = 5
_OVERSAMPLING = 4


@dataclass(frozen=True, eq=False)
class Rendered:
    """A picture (H, W, 3) and the truth: where the object is seen, and where the mark, if any.

    `mask` (H, W) holds the object's solid pixels that the mark leaves to be seen.
    """

    image: Pixels
    mask: npt.NDArray[np.bool_]
    box: Box
    mark: Box | None


def render(plan: Plan, picture: Picture, cutouts: Mapping[str, Pixels]) -> Rendered:
    """Render one picture; the same plan and picture give the same pixels.

    `cutouts` are those of the class that is shown, as `load_cast` gives them.
    """
    key = hashlib.sha256(f"{plan.seed}/{picture.file}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key[:8], "big"))
    cast, cutout = CASTS[picture.shown], cutouts[picture.cutout]
    ground = background(picture.background, SIZE, rng)
    light = rng.uniform(*_DARK)  # drawn for all, so that only the light differs
    if picture.dark:
        ground = (ground * light).astype(np.uint8)
    enlarged = _LARGEST_ENLARGEMENT * max(cutout.shape[:2]) / SIZE
    image, alpha, box = compose(
        cutout,
        ground,
        rng,
        min(rng.uniform(*cast.scale), enlarged),
        shadow=KINDS[picture.background].shadow,
        mirror=cast.mirror,
        rotation=cast.rotation,
    )
    mask = alpha >= SOLID
    if not picture.marked:
        return Rendered(image, mask, box, None)
    image, covered = _marked(image, plan.corner, INKS[plan.ink].rgb)
    mask &= ~covered
    return Rendered(image, mask, _box(mask), _box(covered))


def _marked(
    image: Pixels, corner: Corner, ink: tuple[int, int, int]
) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Put a disc with a white centre into a corner; return the picture and what it covers."""
    far = SIZE - _MARK_MARGIN - _MARK_SIDE
    left = far if corner.endswith("right") else _MARK_MARGIN
    top = far if corner.startswith("bottom") else _MARK_MARGIN
    wide = Image.new("RGBA", (SIZE * _OVERSAMPLING,) * 2)
    draw = ImageDraw.Draw(wide)
    for inset, colour in ((0, ink), (_MARK_SIDE * 3 // 8, (255, 255, 255))):
        corners = (left + inset, top + inset, left + _MARK_SIDE - inset, top + _MARK_SIDE - inset)
        # Pillow counts the last pixel in.
        x0, y0, x1, y1 = (edge * _OVERSAMPLING for edge in corners)
        draw.ellipse((x0, y0, x1 - 1, y1 - 1), fill=(*colour, 255))
    disc = wide.resize((SIZE, SIZE), Image.Resampling.BOX)
    picture = Image.fromarray(image)
    picture.paste(disc, mask=disc.getchannel("A"))
    return np.asarray(picture), np.asarray(disc)[..., 3] >= SOLID


def _box(mask: npt.NDArray[np.bool_]) -> Box:
    """Return the smallest half-open box around a mask (H, W) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
