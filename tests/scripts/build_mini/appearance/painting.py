"""Pictures of plain colours, made by hand."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
MIDDLE = np.array([0.25, 0.25, 0.75, 0.75])


def flat(*rgb: int, side: int = 56) -> Pixels:
    return np.full((side, side, 3), rgb, np.uint8)


def on(ground: Pixels, *rgb: int) -> Pixels:
    """Paint the middle square."""
    picture = ground.copy()
    picture[14:42, 14:42] = rgb
    return picture
