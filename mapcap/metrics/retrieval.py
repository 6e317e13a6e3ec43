"""Does a text find its class among all class names?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOP = 5


def ranks(
    texts: NDArray[Any], names: NDArray[Any], targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the rank (n,) of each text's own class name by cosine; 1 is the best.

    Names that are equally near share the mean of their ranks.

    Args:
        texts: (n, D) embeddings, not all zero.
        names: (K, D) embeddings of the class names.
        targets: (n,) index of each text's class into `names`.
    """
    cosines = _unit(texts) @ _unit(names).T  # (n, K)
    target_cosines = cosines[np.arange(len(targets)), targets][:, None]
    before, equal = (cosines > target_cosines).sum(1), (cosines == target_cosines).sum(1)
    mean_ranks: NDArray[np.float64] = before + (equal + 1) / 2
    return mean_ranks


def chance_rank(classes: int) -> float:
    """Return the mean rank of a text that knows nothing, among so many names."""
    return (classes + 1) / 2


def chance_top(classes: int, top: int) -> float:
    """Return the share of texts that know nothing whose class is among the first `top`."""
    return min(1.0, top / classes)


def _unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    wide = np.asarray(vectors, np.float64)
    unit: NDArray[np.float64] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return unit
