"""The kinds of background by name, and the one function that paints them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scripts.rendering import landscapes, surfaces
from scripts.rendering.textures import Floats

Painter = Callable[[int, np.random.Generator], Floats]
Shadow = Literal["contact", "drop", "none"]


@dataclass(frozen=True)
class Kind:
    """A kind of background and the shadow that an object casts on it.

    `contact`: the object stands on the ground; `drop`: it lies on a surface seen from above;
    `none`: it floats, flies or swims.
    """

    paint: Painter
    shadow: Shadow


def background(kind: str, size: int, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Paint a background of one of `KINDS`: (size, size, 3)."""
    field = KINDS[kind].paint(size, rng)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    light = 1.0 + 0.10 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 0.2) * y) - 0.09 * (x**2 + y**2)
    grain = rng.normal(0.0, 2.0, (size, size, 1))
    return np.asarray(np.clip(field * light[..., None] + grain, 0, 255), dtype=np.uint8)


KINDS: dict[str, Kind] = {
    "autumn": Kind(landscapes.autumn, "contact"),
    "beach": Kind(landscapes.beach, "contact"),
    "bokeh": Kind(surfaces.bokeh, "none"),
    "cloth": Kind(surfaces.cloth, "drop"),
    "court": Kind(surfaces.court, "contact"),
    "desert": Kind(landscapes.desert, "contact"),
    "farmyard": Kind(landscapes.farmyard, "contact"),
    "forest": Kind(landscapes.forest, "contact"),
    "grass": Kind(surfaces.grass, "drop"),
    "kitchen": Kind(surfaces.kitchen, "contact"),
    "leaves": Kind(surfaces.leaves, "drop"),
    "meadow": Kind(landscapes.meadow, "contact"),
    "metal": Kind(surfaces.metal, "drop"),
    "nebula": Kind(landscapes.nebula, "none"),
    "night": Kind(landscapes.night, "none"),
    "reef": Kind(landscapes.reef, "none"),
    "sand": Kind(surfaces.sand, "drop"),
    "sky": Kind(landscapes.sky, "none"),
    "snowfield": Kind(landscapes.snowfield, "contact"),
    "soil": Kind(surfaces.soil, "drop"),
    "stone": Kind(surfaces.stone, "drop"),
    "sunset": Kind(landscapes.sunset, "none"),
    "tiles": Kind(surfaces.tiles, "drop"),
    "water": Kind(landscapes.water, "none"),
    "wood": Kind(surfaces.wood, "drop"),
}
