"""Which concepts misclassified images of a class show more, or less, than its correct ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.concepts import Concept, ConceptBank, Reliability, kinds_of
from mapcap.audit.facts import ENOUGH
from mapcap.audit.material import Material
from mapcap.stats import SIGNIFICANT, false_discovery, permutation, permutations, rank_sum
from mapcap.texts.wording import without_name

_DRAWS = 999
_FEWEST_SHARE = 0.08
"""Least share of the class's images that show a concept, and that do not, to count them."""
_THIRD = 1 / 3


@dataclass(frozen=True, eq=False)
class Shown:
    """The images (n,) of a class that count as showing a concept.

    `by_threshold` says that they are those over its threshold; else they are the third of the
    class that shows most of it.
    """

    having: NDArray[np.bool_]
    by_threshold: bool


@dataclass(frozen=True, eq=False)
class ConceptTest:
    """A concept, its scores (n,) of the class's images, and the rank sum test of the wrong ones.

    `effect` is the share of pairs of a misclassified and a correct image in which the former shows
    more of it (0.5: no difference), after what goes with the similarity to both names is taken
    out; `p` is that of the rank sum, `q` over the concepts of the class, `whole` that of any
    concept standing out so much with correctness permuted.
    """

    concept: Concept
    place: int
    reliability: Reliability | None
    scores: NDArray[np.float64]
    effect: float
    p: float
    q: float
    whole: float
    tested: int


def concept_scores(material: Material) -> NDArray[np.float64]:
    """Return the scores (n, C) of the class's images for the concepts that may speak."""
    bank = material.concepts
    scores = material.images.embeddings.astype(np.float32) @ bank.vectors.T
    return scores.astype(np.float64)


def concept_tests(material: Material) -> list[ConceptTest]:
    """Return the concepts that tell misclassified from correct images, the strongest first.

    An error's picture is less like its own class's text and more like another's, and every cosine
    drifts with that. What a score has in common, linearly within the class, with the similarity to
    the true and to the predicted name is therefore taken out first. Concepts that name the class,
    or a kind of thing that it is, are not tested: they would say the class again. Nor are those
    that hardly any or nearly all of its images show.
    """
    images, bank = material.images, material.concepts
    wrong = ~images.correct
    if min(int(wrong.sum()), int((~wrong).sum())) < ENOUGH or not len(bank):
        return []
    every = concept_scores(material)
    # Chosen without a look at correctness.
    tested = [
        place
        for place in _tested(bank, material.names.names[material.class_id])
        if shown(every[:, place], bank.reliabilities[place]) is not None
    ]
    if not tested:
        return []
    scores = every[:, tested]
    rest = scores - _explained(scores, _similarities(material))
    effect, p = rank_sum(rest, wrong)
    q = false_discovery(p)
    whole = _whole(rest, wrong, seed=material.seed)
    tests = [
        ConceptTest(
            concept=bank.concepts[place],
            place=place,
            reliability=bank.reliabilities[place],
            scores=scores[:, i],
            effect=float(effect[i]),
            p=float(p[i]),
            q=float(q[i]),
            whole=whole,
            tested=len(tested),
        )
        for i, place in enumerate(tested)
    ]
    return sorted(tests, key=lambda test: (test.q, -abs(test.effect - 0.5), test.place))


def _tested(bank: ConceptBank, name: str) -> list[int]:
    same = kinds_of(name)
    return [
        place
        for place, concept in enumerate(bank.concepts)
        if concept.noun not in same and without_name(concept.noun, name) == concept.noun
    ]


def _similarities(material: Material) -> NDArray[np.float64]:
    """Return the cosines of each image with the name of its class and of its prediction: (n, 2)."""
    images, names = material.images, material.names
    features = images.embeddings.astype(np.float64)
    texts = names.embeddings.astype(np.float64)
    true = names.places(np.array([material.class_id]))[0]
    predicted = names.places(images.predicted)
    return np.stack([features @ texts[true], (features * texts[predicted]).sum(1)], axis=1)


def _explained(
    scores: NDArray[np.float64], similarities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the part of scores (n, C) that goes linearly with similarities (n, 2) and a mean."""
    design = np.column_stack([np.ones(len(scores)), similarities])
    explained: NDArray[np.float64] = design @ np.linalg.lstsq(design, scores, rcond=None)[0]
    return explained


def _whole(rest: NDArray[np.float64], wrong: NDArray[np.bool_], *, seed: int) -> float:
    """Return the p of the largest difference of mean ranks, over permutations of correctness.

    So a class without any difference has a finding in at most 5 % of cases, however much the
    concepts go together (Westfall & Young 1993).
    """
    ranks = rest.argsort(0).argsort(0).astype(np.float64)
    splits = permutations(wrong, seed=seed, draws=_DRAWS)
    sums = splits @ ranks
    return permutation(-np.abs(sums - wrong.sum() * ranks.mean(0)).max(1))


def stands_out(test: ConceptTest) -> bool:
    """Tell whether a concept goes with correctness, in a class where any does."""
    return max(test.q, test.whole) <= SIGNIFICANT


def shown(scores: NDArray[np.float64], reliability: Reliability | None) -> Shown | None:
    """Return the images that count as showing a concept of scores (n,).

    None where hardly any or nearly all are over the threshold: what a class does not show, such as
    skis beside cats, parts it by nothing that a person could see.
    """
    if reliability is None:
        having = np.zeros(len(scores), bool)
        having[np.argsort(-scores, kind="stable")[: max(1, round(_THIRD * len(scores)))]] = True
        return Shown(having, by_threshold=False)
    having = scores > reliability.threshold
    if _FEWEST_SHARE <= having.mean() <= 1 - _FEWEST_SHARE:
        return Shown(having, by_threshold=True)
    return None


def nearest_regions(
    material: Material, places: NDArray[np.int64], concept: int, most: int
) -> Sequence[int]:
    """Return the ids of the regions of images that score highest for a concept, one an image."""
    regions, vector = material.regions, material.concepts.vectors[concept]
    best: dict[int, tuple[float, int]] = {}
    chosen = regions.of(places)
    scores = regions.embeddings[chosen].astype(np.float32) @ vector
    for number, score in zip(chosen, scores.tolist(), strict=True):
        owner = int(regions.owners[number])
        best[owner] = max(best.get(owner, (float("-inf"), 0)), (score, int(regions.ids[number])))
    return [best[place][1] for place in places.tolist() if place in best][:most]
