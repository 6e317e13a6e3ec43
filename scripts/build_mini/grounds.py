"""What lies behind the rendered stamps, in words: the painter of each background is known.

A part of a picture that shows no thing is to be called what it is, "green grass", and not by the
name of the nearest thing.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scripts.build_mini.masks import Mask, blob, box_patches

LEAST: Final = 0.1
"""Share of the patches beside a thing's box, for a part of them to be told."""
_DULL: Final = frozenset(
    "a an and at in of on out over the under with above behind blue brown dark deep dry bare"
    " brushed green grey light orange pale plain purple red small soft tan top white blurred"
    " round".split()
)


@dataclass(frozen=True)
class Ground:
    """What may be said of the upper part of a background and of the lower."""

    above: tuple[str, ...]
    below: tuple[str, ...]

    def texts(self, mask: Mask) -> tuple[str, ...]:
        """Return what may be said of a part, by where most of it lies."""
        share = np.nonzero(mask)[0].mean() / (len(mask) - 1)
        return self.above if share < 0.5 else self.below

    def tells(self, caption: str, mask: Mask) -> bool:
        """Tell whether a caption has a noun of what may be said of a part."""
        said = set(re.findall(r"[a-z]+", caption.lower()))
        return not said.isdisjoint(_nouns(self.texts(mask)))


def _nouns(texts: tuple[str, ...]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[a-z]+", text)} - _DULL


def _everywhere(*texts: str) -> Ground:
    return Ground(texts, texts)


_SKY: Final = ("a blue sky with white clouds.", "the blue sky.", "white clouds in a blue sky.")
_GRASS: Final = ("green grass.", "a green lawn.", "the grass of a meadow.")
_SOIL: Final = ("brown soil.", "bare brown earth.", "the dark ground.")
_SAND: Final = ("light brown sand.", "tan sand.", "ripples in the sand.")

GROUNDS: Final = MappingProxyType(
    {
        "autumn": Ground(
            (
                "blurred orange trees in autumn.",
                "orange autumn leaves.",
                "trees with orange leaves.",
            ),
            ("a dry brown meadow.", "brown grass in autumn.", "the grass of a brown field."),
        ),
        "beach": Ground(_SKY, ("a sandy beach.", "light brown sand.", "the sand of a beach.")),
        "bokeh": _everywhere(
            "a blurred background.", "soft round lights.", "blurred spots of light."
        ),
        "cloth": _everywhere("a checked cloth.", "a checked tablecloth.", "squares on a cloth."),
        "court": _everywhere(
            "a tennis court.", "a white line on a court.", "the floor of a court."
        ),
        "desert": Ground(
            ("a blue sky over brown hills.", "red hills under a pale sky."),
            ("brown desert sand.", "the sand of a desert.", "sandy desert ground."),
        ),
        "farmyard": Ground(
            ("a red barn wall.", "red wooden boards.", "the wooden wall of a barn."), _SOIL
        ),
        "forest": Ground(
            ("tree trunks in a green forest.", "green trees.", "a blurred green forest."),
            ("grass in a forest.", "the green ground of a forest.", "trees over green grass."),
        ),
        "grass": _everywhere(*_GRASS),
        "kitchen": Ground(
            ("a plain wall.", "the wall of a kitchen."),
            ("a wooden table.", "brown wooden boards.", "the top of a table."),
        ),
        "leaves": _everywhere(
            "green leaves.", "a bush of green leaves.", "leaves of a green plant."
        ),
        "meadow": Ground(_SKY, _GRASS),
        "metal": _everywhere("a grey metal plate.", "brushed grey metal.", "grey metal."),
        "nebula": _everywhere(
            "stars in a purple sky.", "a starry night sky.", "stars among purple clouds."
        ),
        "night": Ground(
            ("stars in a dark blue sky.", "the night sky.", "a starry sky."),
            ("dark hills at night.", "blue hills under the night sky."),
        ),
        "reef": Ground(
            ("blue water.", "deep blue water.", "the blue sea."),
            ("a coral reef under water.", "corals in blue water.", "the sea floor."),
        ),
        "sand": _everywhere(*_SAND),
        "sky": _everywhere(*_SKY),
        "snowfield": Ground(
            ("a pale sky over hills.", "the pale winter sky.", "blue hills in winter."),
            ("white snow.", "a field of snow.", "the snowy ground."),
        ),
        "soil": _everywhere(*_SOIL),
        "stone": _everywhere(
            "grey stones.", "grey and brown pebbles.", "a ground of small stones."
        ),
        "sunset": Ground(
            ("an orange sky at sunset.", "a purple and orange sky.", "clouds at sunset."),
            ("dark hills at sunset.", "an orange sky over dark hills."),
        ),
        "tiles": _everywhere("square tiles.", "a wall of tiles.", "light tiles on a wall."),
        "water": _everywhere("blue water.", "waves in the water.", "small waves on blue water."),
        "wood": _everywhere("brown wooden boards.", "a wooden floor.", "brown wood."),
    }
)
"""By the kind of background, as `scripts.rendering.compose.KINDS` names them."""


SETTINGS: Final = MappingProxyType(
    {
        "grass": GROUNDS["grass"].below,
        "leaves": GROUNDS["leaves"].below,
        "sand": GROUNDS["sand"].below,
        "sky": GROUNDS["sky"].above,
    }
)
"""What may be said of what lies beside a thing in a photo, by the setting that its pixels show."""


def part_beside(
    box: NDArray[np.floating[Any]], grid: tuple[int, int], rng: np.random.Generator
) -> Mask | None:
    """Draw a compact part of the patches that a box leaves free; None where these are too few."""
    free = ~box_patches(box, grid)
    return None if free.mean() < LEAST else blob(free, rng) & free


def parts_beside(
    boxes: NDArray[np.floating[Any]], grid: tuple[int, int], rng: np.random.Generator
) -> tuple[list[int], NDArray[np.bool_]]:
    """Draw a part (gh, gw) beside each box that leaves room; return which boxes these are, too."""
    drawn = [part_beside(box, grid, rng) for box in boxes]
    kept = [i for i, part in enumerate(drawn) if part is not None]
    return kept, np.array([drawn[i] for i in kept], bool).reshape(-1, *grid)
