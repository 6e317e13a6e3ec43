"""The classes of the test bed, their cut-outs and backgrounds: data, chosen by trial.

The embedded CLIP knows every class by its bare name and is right on most of its pictures, some
classes being harder than others, so that planted faults stand among honest errors.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts.rendering.compose import load_cutout

Pixels = npt.NDArray[np.uint8]

_OPAQUE = 200


@dataclass(frozen=True)
class Cast:
    """What the pictures of a class show: one of its cut-outs, at a size and turn.

    `scale` is the range of the object's longer side, of the picture's side; `rotation` the largest
    turn in degrees. With `hue`, the cut-outs are turned in hue until their median is that, of 256.
    """

    cutouts: tuple[str, ...]
    scale: tuple[float, float] = (0.50, 0.75)
    rotation: float = 10.0
    mirror: bool = True
    hue: int | None = None


_ROUND_FRUIT = Cast(("orange", "mandarine", "orange-seville"), (0.48, 0.70), 25.0)

PAIR = ("lemon", "orange")
"""The two classes that differ in nothing but colour."""

CASTS: dict[str, Cast] = {
    "African elephant": Cast(("elephant",), (0.55, 0.80)),
    "binoculars": Cast(("binoculars",), rotation=20.0, mirror=False),
    "candle": Cast(("candle",), (0.60, 0.85), 8.0),
    "hog": Cast(("pig", "wildboar"), (0.55, 0.80)),
    "king penguin": Cast(("penguin", "magellanic-penguin"), (0.55, 0.80)),
    "lemon": replace(_ROUND_FRUIT, hue=33),
    "mushroom": Cast(("cep", "cep-1", "cep-2", "mushroom"), rotation=15.0),
    "orange": replace(_ROUND_FRUIT, hue=26),
    "sports car": Cast(("sportscar2", "sedan"), (0.60, 0.85)),
    "teapot": Cast(("teapot",), rotation=12.0),
}

BACKGROUNDS = (
    *("autumn", "beach", "bokeh", "cloth", "court", "desert", "farmyard", "forest", "grass"),
    *("kitchen", "leaves", "meadow", "metal", "sand", "snowfield", "soil", "stone", "tiles"),
    "wood",
)
"""Kinds of background; every class has all of them."""


def cutouts_path() -> Path:
    """Return the folder of the shipped cut-outs: WebP with alpha, their notice, `sources.tsv`."""
    return Path(__file__).parent / "cutouts"


def load_cast(cast: Cast) -> dict[str, Pixels]:
    """Read the cut-outs of a class by name, in its colour: each (h, w, 4)."""
    found = {name: load_cutout(cutouts_path() / f"{name}.webp") for name in cast.cutouts}
    if cast.hue is None:
        return found
    return {name: turned(cutout, cast.hue) for name, cutout in found.items()}


def turned(cutout: Pixels, hue: int) -> Pixels:
    """Turn the hue of a cut-out (h, w, 4) until its opaque pixels' median hue is `hue`, of 256.

    Saturation, value and alpha stay as they are.
    """
    hsv = np.array(Image.fromarray(cutout[..., :3]).convert("HSV"))  # (h, w, 3)
    median = round(float(np.median(hsv[cutout[..., 3] >= _OPAQUE, 0])))
    hsv[..., 0] += np.uint8((hue - median) % 256)  # uint8 wraps round, as hues do
    colours = Image.fromarray(hsv, "HSV").convert("RGB")
    return np.dstack([np.asarray(colours), cutout[..., 3]])
