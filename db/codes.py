"""Embeddings in eight bits: a quarter of float32, with a bound on what is lost.

A vector v is stored as its difference from the mean of its block, in steps of its own: networks
give some components a large value that hardly changes, which would make the steps of all coarse.
Its error, the L2 norm of what the steps lose, bounds the error of its product with any q: by
Cauchy and Schwarz, |q . v - q . v'| <= |q| |v - v'|.
"""

from typing import Final

import numpy as np

from db.errors import StoreError
from db.records import Codes, Vectors

# Regions a block: few enough that the first answers come at once.
BLOCK: Final = 8192
_STEPS: Final = 127
# The error is itself computed to float32's precision.
_ROUNDED_UP: Final = np.float32(1.0001)
_LEAST: Final = np.float32(1e-6)


def codes_of(stored: Vectors) -> Codes:
    """Return vectors in eight bits, with the error of each; StoreError if they are damaged."""
    wide = stored.vectors.astype(np.float32)  # (n, D)
    centre = wide.mean(axis=0)  # (D,)
    if not np.isfinite(centre).all():
        raise StoreError("a stored embedding holds NaN or infinity: the file is damaged")
    wide -= centre
    scales = np.abs(wide).max(axis=1, initial=0) / np.float32(_STEPS)  # (n,)
    steps = np.where(scales > 0, scales, np.float32(1))[:, None]
    codes = np.rint(wide / steps).astype(np.int8)  # (n, D)
    wide -= codes * steps
    errors = np.linalg.norm(wide, axis=1) * _ROUNDED_UP + _LEAST
    return Codes(stored.ids, centre, scales, errors, codes)
