"""B2T's CLIP score: is a word nearer to the wrong images than to the right ones?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.stats import difference_intervals

_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class ClipScores:
    """The score of each of W words with its 95 % interval, all (W,)."""

    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def clip_scores(
    words: NDArray[Any],
    wrong: NDArray[Any],
    right: NDArray[Any],
    *,
    seed: int,
    draws: int = _DRAWS,
) -> ClipScores:
    """Return s(word, wrong) - s(word, right), s the mean cosine of a word and a set of images.

    After Kim et al., Discovering and Mitigating Visual Biases through Keyword Explanation
    (arXiv 2301.11104), equation 1, as a difference of cosines, not times 100. The interval is the
    percentile bootstrap over the images of each set.

    Args:
        words: (W, D) text embeddings, L2-normalised.
        wrong: (m, D) embeddings of the wrong images, L2-normalised; m at least 1.
        right: (n, D) those of the right ones; n at least 1.
        seed: of the resampling.
        draws: number of resamples.
    """
    ours, theirs = (
        images.astype(np.float64) @ words.astype(np.float64).T for images in (wrong, right)
    )  # (m, W), (n, W)
    low, high = difference_intervals(ours, theirs, seed=seed, draws=draws)
    return ClipScores(ours.mean(0) - theirs.mean(0), low, high)
