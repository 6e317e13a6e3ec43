"""Perceptual hashes of small pictures."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LUMA: Final = np.array([0.299, 0.587, 0.114])
_SIDE: Final = 8
"""Frequencies of a hash in each direction."""
_AT_ONCE: Final = 256
"""Pictures hashed at once: a run's sample has thousands, and their floats eight times the bytes."""


def hashes(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return perceptual hashes (n, 63) of pictures (n, S, S, 3), as -1 and 1.

    The signs of the lowest frequencies of the luma's discrete cosine transform about their median,
    without the constant one (pHash, Zauner 2010).
    """
    starts = range(0, len(pictures), _AT_ONCE)
    parts = [_hashes(pictures[start : start + _AT_ONCE]) for start in starts]
    return np.concatenate([np.empty((0, _SIDE**2 - 1), np.float32), *parts])


def _hashes(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    n, side, _, _ = pictures.shape
    waves = np.cos(np.pi / side * (np.arange(side) + 0.5) * np.arange(_SIDE)[:, None])
    luma = pictures.astype(np.float64) @ _LUMA  # (n, S, S)
    low = (waves @ luma @ waves.T).reshape(n, _SIDE**2)[:, 1:]  # (n, 63)
    # To a tenth of a grey level: what is flat must not have the signs of rounding errors.
    low = (low / side**2).round(1)
    above = low > np.median(low, axis=1, keepdims=True)
    return np.where(above, 1, -1).astype(np.float32)
