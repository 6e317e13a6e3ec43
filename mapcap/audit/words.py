"""Words and phrases whose images differ: Fisher's test, sorted by log-odds with a prior."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from mapcap.stats import SIGNIFICANT, false_discovery, fisher
from mapcap.texts.wording import content_words

_FEWEST, _LEAST_SHARE = 3, 0.05
"""Images of both groups that hold a word, below which no test could tell: it is not tested."""

_PRIOR = 0.25
"""Weight of the prior, as a share of each group's own."""


@dataclass(frozen=True, slots=True)
class WordTest:
    """A word held by `first` images of one group and `second` of the other.

    `log_odds` and `z` are positive where it belongs to the first; `q` is the false discovery rate
    of Fisher's exact test.
    """

    word: str
    log_odds: float
    z: float
    q: float
    first: int
    second: int


def phrases(texts: Iterable[str]) -> frozenset[str]:
    """Return the content words of an image's captions, and the pairs that stand side by side."""
    terms: set[str] = set()
    for text in texts:
        words = content_words(text)
        terms.update(word for word in words if word)
        pairs = pairwise(words)
        terms.update(f"{left} {right}" for left, right in pairs if left and right and left != right)
    return frozenset(terms)


def marking_words(
    first: Sequence[AbstractSet[str]],
    second: Sequence[AbstractSet[str]],
    prior: Mapping[str, int],
    prior_images: int,
) -> list[WordTest]:
    """Return the words that tell two groups of images apart, the significant ones first.

    A word is significant by Fisher's exact test of the images with and without it, q being
    Benjamini & Hochberg's over the words. Within the significant ones and the others, the strongest
    z comes first: z only sorts, for it is not standard normal where nothing differs (the prior
    shrinks the log-odds, and their variance does not know).

    z is after Monroe, Colaresi & Quinn 2008 (doi 10.1093/pan/mpn018): the log-odds ratio of a word
    under an informative Dirichlet prior, by its standard deviation. The unit is the image, which
    holds a word or lacks it however often its captions say it, so that for each word the Dirichlet
    has these two parts: with y of n images holding it, and a and b the prior's, the log-odds are
    log((y + a) / (n - y + b)), of variance 1 / (y + a) + 1 / (n - y + b). The prior
    is the run's own counts scaled to a quarter of each group's weight: the same share for both, or
    a word equally frequent in both and rare in the run would seem to mark the larger group.

    A phrase held by the same images as one of its words is left out: it would be tested twice.

    Args:
        first: the words of each image of one group, as `phrases` gives them.
        second: those of the other group.
        prior: how many images of the run hold each word.
        prior_images: how many images of the run these are counted over.
    """
    if not first or not second:
        return []
    left, right = Counter(_all(first)), Counter(_all(second))
    sizes = len(first), len(second)
    words = _tested(left, right, max(_FEWEST, ceil(_LEAST_SHARE * sum(sizes))))
    if not words:
        return []
    # Never none nor all: a word that the run's sample lacks, or that all of it holds.
    shares = (np.array([prior.get(word, 0) for word in words]) + 0.5) / (prior_images + 1)
    holding = (np.array([held[word] for word in words], float) for held in (left, right))
    y1, y2 = (y + _PRIOR * n * shares for y, n in zip(holding, sizes, strict=True))
    lack1, lack2 = (n * (1 + _PRIOR) - y for y, n in zip((y1, y2), sizes, strict=True))
    log_odds = np.log(y1 / lack1) - np.log(y2 / lack2)
    z = log_odds / np.sqrt(1 / y1 + 1 / lack1 + 1 / y2 + 1 / lack2)
    q = false_discovery(_fisher(words, left, right, sizes))
    tests = [
        WordTest(word, float(log_odds[i]), float(z[i]), float(q[i]), left[word], right[word])
        for i, word in enumerate(words)
    ]
    return sorted(tests, key=lambda test: (test.q > SIGNIFICANT, -abs(test.z), test.word))


def _fisher(
    words: Sequence[str], left: Counter[str], right: Counter[str], sizes: tuple[int, int]
) -> list[float]:
    """Return Fisher's exact p of each word; words of equal counts are tested once."""
    counts = [(left[word], right[word]) for word in words]
    p = {(a, b): fisher(a, sizes[0], b, sizes[1]) for a, b in set(counts)}
    return [p[pair] for pair in counts]


def _all(group: Sequence[AbstractSet[str]]) -> Iterable[str]:
    return (word for image in group for word in image)


def _tested(left: Counter[str], right: Counter[str], fewest: int) -> list[str]:
    """Return the words of enough images, without phrases that say no more than one of theirs."""
    chosen = []
    for word in sorted(left.keys() | right.keys()):
        if left[word] + right[word] < fewest:
            continue
        # Wherever the phrase stands its words do: equal counts are the same images.
        parts = word.split(" ")
        if len(parts) > 1 and any((left[p], right[p]) == (left[word], right[word]) for p in parts):
            continue
        chosen.append(word)
    return chosen
