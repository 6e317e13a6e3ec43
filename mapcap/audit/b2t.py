"""B2T's CLIP score: is a word nearer to the wrong images than to the right ones?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    generator = np.random.default_rng(seed)
    scores, resampled = [], []
    for images in (wrong, right):
        cosines = images.astype(np.float64) @ words.astype(np.float64).T  # (n, W)
        n = len(cosines)
        # How often each image is drawn says all of a resample: (draws, n).
        times = generator.multinomial(n, np.full(n, 1 / n), size=draws)
        scores.append(cosines.mean(0))
        resampled.append(times @ cosines / n)
    low, high = np.percentile(resampled[0] - resampled[1], [2.5, 97.5], axis=0)
    return ClipScores(scores[0] - scores[1], low, high)
