"""Colours as people see them: CIE L*a*b*, and the names of the basic ones."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.colours.naming import rgb_to_lab

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
    return rgb_to_lab(rgb / 255).astype(np.float64)


def colour_name(rgb: NDArray[Any]) -> str:
    """Return the basic colour that is nearest to one (3,) in sRGB, 0 to 255."""
    names = list(_NAMED)
    palette = lab(np.array([_NAMED[name] for name in names]))
    return names[int(np.linalg.norm(palette - lab(rgb), axis=1).argmin())]
