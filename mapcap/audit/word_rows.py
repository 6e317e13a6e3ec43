"""The words of a class's errors, with the images and CLIP scores behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.b2t import clip_scores
from mapcap.audit.material import Material
from mapcap.audit.words import WordTest, marking_words

_MOST_WORDS, _MOST_PAIR_WORDS = 40, 12


@dataclass(frozen=True, slots=True)
class WordRow:
    """A tested word, its fields named as in the store.

    `against_class_id` None compares the class's misclassified images with its correct ones, else
    those predicted as that class with the correct ones of that class. Of the two groups, `images`
    hold the word: `wrong` misclassified and `correct` correct ones.
    """

    word: str
    against_class_id: int | None
    log_odds: float
    z: float
    q: float
    b2t: float | None
    b2t_low: float | None
    b2t_high: float | None
    images: int
    correct: int
    wrong: int


def error_words(material: Material) -> list[WordRow]:
    """Return the words that tell the class's misclassified images from its correct ones."""
    images = material.images
    wrong = np.flatnonzero(~images.correct)
    right = np.flatnonzero(images.correct)
    tests = _tests(material, wrong, _of(images.words, right))
    vectors = images.embeddings
    return _rows(material, None, tests[:_MOST_WORDS], vectors[wrong], vectors[right])


def pair_words(material: Material) -> list[WordRow]:
    """Return, for each rival, the words that tell the images taken for it from its right ones."""
    images, rows = material.images, []
    for rival_id, rival in material.rivals.items():
        taken = np.flatnonzero(~images.correct & (images.predicted == rival_id))
        chosen = _tests(material, taken, rival.words)[:_MOST_PAIR_WORDS]
        rows += _rows(material, rival_id, chosen, images.embeddings[taken], rival.embeddings)
    return rows


def _tests(
    material: Material, wrong: NDArray[np.int64], right: Sequence[frozenset[str]]
) -> list[WordTest]:
    reference = material.reference
    first = _of(material.images.words, wrong)
    return marking_words(first, right, reference.phrases, len(reference.ids))


def _of(words: Sequence[frozenset[str]], chosen: NDArray[np.int64]) -> list[frozenset[str]]:
    return [words[place] for place in chosen]


def _rows(
    material: Material,
    against: int | None,
    tests: Sequence[WordTest],
    wrong: NDArray[Any],
    right: NDArray[Any],
) -> list[WordRow]:
    if not tests:
        return []
    vectors = material.embed([test.word for test in tests])
    scores = clip_scores(vectors, wrong, right, seed=material.seed)
    return [
        WordRow(
            word=test.word,
            against_class_id=against,
            log_odds=test.log_odds,
            z=test.z,
            q=test.q,
            b2t=float(scores.score[i]),
            b2t_low=None if scores.low is None else float(scores.low[i]),
            b2t_high=None if scores.high is None else float(scores.high[i]),
            images=test.first + test.second,
            correct=test.second,
            wrong=test.first,
        )
        for i, test in enumerate(tests)
    ]
