"""CIDEr-D of captions against people's sentences (Vedantam et al. 2015), as pycocoevalcap."""

import math
import re
from collections import Counter
from collections.abc import Sequence

LONGEST = 4
"""Words of the longest n-grams."""
SIGMA = 6.0
"""Words by which lengths may differ before it costs much."""

Grams = list[Counter[tuple[str, ...]]]
Vector = list[dict[tuple[str, ...], float]]


def cider_d(captions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the mean CIDEr-D of captions, each against the references of its own picture.

    Words are lower-cased and punctuation left out. Document frequencies are those of the references
    themselves, a picture's counted once. 0 is nothing in common, 10 a copy of every reference.

    Raises:
        ValueError: if there are not as many captions as lists of references, or none.
    """
    if len(captions) != len(references) or not captions:
        raise ValueError("one list of references is needed for each caption")
    told = [[_grams(reference) for reference in own] for own in references]
    seen: Counter[tuple[str, ...]] = Counter()
    for own in told:
        seen.update({gram for grams in own for counts in grams for gram in counts})
    scores = [
        _score(_grams(caption), own, seen, math.log(len(references)))
        for caption, own in zip(captions, told, strict=True)
    ]
    return sum(scores) / len(scores)


def _grams(text: str) -> Grams:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return [
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        for n in range(1, LONGEST + 1)
    ]


def _score(
    caption: Grams, own: Sequence[Grams], seen: Counter[tuple[str, ...]], log_n: float
) -> float:
    found = _weighted(caption, seen, log_n)
    total = 0.0
    for grams in own:
        reference = _weighted(grams, seen, log_n)
        shorter = _length(caption) - _length(grams)
        penalty = math.exp(-(shorter**2) / (2 * SIGMA**2))
        total += penalty * sum(map(_alike, found, reference)) / LONGEST
    return 10 * total / len(own)


def _weighted(grams: Grams, seen: Counter[tuple[str, ...]], log_n: float) -> Vector:
    """Weigh counts by how seldom pictures have an n-gram."""
    return [
        {gram: count * (log_n - math.log(max(1, seen[gram]))) for gram, count in counts.items()}
        for counts in grams
    ]


def _alike(found: dict[tuple[str, ...], float], reference: dict[tuple[str, ...], float]) -> float:
    """Cosine of two vectors, what the caption says too often cut down to the reference's."""
    shared = sum(min(value, reference.get(gram, 0.0)) * reference.get(gram, 0.0)
                 for gram, value in found.items())  # fmt: skip
    norms = (math.sqrt(sum(v * v for v in vector.values())) for vector in (found, reference))
    length = math.prod(norms)
    return shared / length if length else 0.0


def _length(grams: Grams) -> int:
    return sum(grams[0].values())
