"""Colours as people see them: CIE L*a*b*, and the names of the basic ones."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_TO_XYZ: Final = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE: Final = _TO_XYZ.sum(1)
_NAMED: Final = {
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
    "red": (220, 30, 30),
    "orange": (245, 140, 20),
    "yellow": (245, 225, 40),
    "green": (40, 150, 50),
    "lime": (150, 235, 30),
    "cyan": (40, 200, 210),
    "blue": (40, 70, 210),
    "purple": (130, 50, 170),
    "magenta": (230, 40, 200),
    "pink": (245, 170, 190),
    "brown": (120, 75, 40),
}


def lab(rgb: NDArray[Any]) -> NDArray[np.float64]:
    """Return colours (..., 3) in sRGB, 0 to 255, as L* (0 to 100), a* and b* (white: D65)."""
    encoded = rgb.astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    cube = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def colour_name(rgb: NDArray[Any]) -> str:
    """Return the basic colour that is nearest to one (3,) in sRGB, 0 to 255."""
    names = list(_NAMED)
    palette = lab(np.array([_NAMED[name] for name in names]))
    return names[int(np.linalg.norm(palette - lab(rgb), axis=1).argmin())]
