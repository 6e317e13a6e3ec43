"""Features as the store keeps them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def normalised(features: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float16], list[float]]:
    """Split features (n, D) into L2-normalised float16 vectors (n, D) and their norms.

    A vector of zeros stays one. ValueError on NaN or infinity.
    """
    wide = np.asarray(features, dtype=np.float32)  # (n, D)
    norms = np.linalg.norm(wide, axis=1)  # (n,)
    if not np.isfinite(norms).all():
        raise ValueError("a feature holds NaN or infinity")
    vectors = wide / np.where(norms > 0, norms, 1)[:, None]
    return vectors.astype(np.float16), norms.tolist()
