"""What sets some images apart from the rest of their class: concepts, words, attributes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.attributes import ATTRIBUTES, find_cuts, share_elsewhere, text_of
from mapcap.audit.concept_tests import concept_scores, shown
from mapcap.audit.material import Material, rate
from mapcap.audit.words import marking_words
from mapcap.stats import SIGNIFICANT, false_discovery, rank_sum
from mapcap.texts.wording import says_colours, without_name

_LEAST_GAP = 0.3
"""By how much more of the images must have it than of the others, to name them."""
_LEAST_GAP_OF_CONCEPTS = 0.5
"""That for concepts: what tells everyday scenes apart tells photos of one thing less well."""
_MOST = 2


@dataclass(frozen=True, slots=True)
class Contrast:
    """Something that `inside` of the images have and `outside` of the others.

    `text` says it after “a group”; `gap` is the difference of the shares; `q` that in its family.
    """

    text: str
    inside: int
    outside: int
    gap: float
    q: float


def contrasts(material: Material, inside: NDArray[np.bool_]) -> list[Contrast]:
    """Return what sets some images (n,) of a class apart: caption words, concepts, attributes.

    Each is a family of its own, the largest difference of shares first; no more than two in all,
    and none where nothing sets the images apart.
    """
    named: list[Contrast] = []
    for family in (_words, _concepts, _attributes):
        tried = family(material, inside)
        least = _LEAST_GAP_OF_CONCEPTS if family is _concepts else _LEAST_GAP
        pronounced = [each for each in tried if each.q <= SIGNIFICANT and each.gap >= least]
        named += sorted(pronounced, key=lambda each: -each.gap)
    return named[:_MOST]


def _concepts(material: Material, inside: NDArray[np.bool_]) -> Iterator[Contrast]:
    bank = material.concepts
    if not len(bank) or not 0 < inside.sum() < len(inside):
        return
    scores = concept_scores(material)
    effects, p = rank_sum(scores, inside)
    for place, q in enumerate(false_discovery(p).tolist()):
        if effects[place] > 1 / 2:
            part = shown(scores[:, place], bank.reliabilities[place])
            if part is not None:
                yield _contrast(bank.concepts[place].attributive, part.having, inside, q)


def _attributes(material: Material, inside: NDArray[np.bool_]) -> Iterator[Contrast]:
    cuts = find_cuts(material.images.attributes, inside, seed=material.seed)
    for cut, q in zip(cuts, false_discovery([cut.p for cut in cuts]), strict=True):
        text = text_of(ATTRIBUTES[cut.column], cut, rare=share_elsewhere(material, cut))
        # As it stands after “a group”: of blurred ones, in which the object covers ...
        text = f"of {text}" if text.endswith("ones") else text
        yield _contrast(text, cut.having, inside, float(q))


def _words(material: Material, inside: NDArray[np.bool_]) -> Iterator[Contrast]:
    images, reference = material.images, material.reference
    first, second = (
        [words for words, chosen in zip(images.words, side, strict=True) if chosen]
        for side in (inside, ~inside)
    )
    name = material.names.names[material.class_id]
    for test in marking_words(first, second, reference.phrases, len(reference.ids)):
        # The class's own name names no part of it.
        informative = without_name(test.word, name) and not says_colours(test.word)
        if test.z > 0 and informative:
            having = np.array([test.word in held for held in images.words])
            yield _contrast(f"with “{test.word}”", having, inside, test.q)


def _contrast(
    text: str, having: NDArray[np.bool_], inside: NDArray[np.bool_], q: float
) -> Contrast:
    gap = rate(having[inside]) - rate(having[~inside])
    return Contrast(text, int((having & inside).sum()), int((having & ~inside).sum()), gap, q)
