"""B2T's CLIP score: is a word nearer to the wrong images than to the right ones?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.resampling import difference_intervals

_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class ClipScores:
    """The score of each of W words with its 95 % interval, all (W,); too few images have none."""

    score: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None


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
    BCa bootstrap over the images of each set, of which each must have five.

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
    intervals = difference_intervals(ours, theirs, seed=seed, draws=draws)
    low, high = (None, None) if intervals is None else intervals
    return ClipScores(ours.mean(0) - theirs.mean(0), low, high)
