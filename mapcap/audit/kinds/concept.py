"""Findings of kind `concept`: what misclassified photos show, by the CLIP's joint space."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.concept_tests import (
    ConceptTest,
    Shown,
    concept_tests,
    nearest_regions,
    shown,
    stands_out,
)
from mapcap.audit.cost import NOTHING, beyond
from mapcap.audit.findings import MOST_EVIDENCE, Finding, discounted
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, with_without
from mapcap.audit.material import Material, wrong_first

NAME: Final = "concept"
_SAME_IMAGES = 0.6
"""Two concepts that share more of their misclassified images (Jaccard) are one finding."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what misclassified images show more or less; doubted labels make it cost less."""
    material = inputs.material
    return discounted(concepts(material, concept_tests(material)), inputs.suspected)


def concepts(material: Material, tests: Sequence[ConceptTest]) -> list[Finding]:
    """Return the concepts that go with correctness, the strongest of those of the same images.

    Two figures must agree: the rank sum of the scores, freed of both names, and the counts of the
    images that show it, which a person reads. Where these differ no more than by chance, or the
    other way round, nothing is said.
    """
    findings: list[Finding] = []
    for test in tests:
        if not stands_out(test):
            continue
        finding = _finding(material, test)
        covered = any(
            len(finding.wrong & other.wrong) > _SAME_IMAGES * len(finding.wrong | other.wrong)
            for other in findings
        )
        if finding.cost != NOTHING and not covered:
            findings.append(finding)
    return findings


def _finding(material: Material, test: ConceptTest) -> Finding:
    images, wrong = material.images, ~material.images.correct
    more = test.effect > 1 / 2
    part = _part(test, more=more)
    concerned = part.having if more else ~part.having
    figures = _counts(part.having, wrong)
    evidence = wrong_first(images, concerned)
    reliability = test.reliability
    return Finding(
        NAME,
        _title(test, figures, part, more=more),
        beyond(concerned, wrong),
        {
            "concept": test.concept.term,
            "group": test.concept.group,
            "phrase": test.concept.phrase,
            "more": more,
            "by_threshold": part.by_threshold,
            **figures,
            "effect": test.effect,
            "p": test.p,
            "q": test.q,
            "whole": test.whole,
            "tested": test.tested,
            "auc": None if reliability is None else reliability.auc,
        },
        images.ids[evidence].tolist()[:MOST_EVIDENCE],
        nearest_regions(material, evidence, test.place, MOST_EVIDENCE) if more else (),
        frozenset(np.flatnonzero(concerned & wrong).tolist()),
    )


def _part(test: ConceptTest, *, more: bool) -> Shown:
    """Return the images that show it; by thirds, where errors lack it, all but the farthest."""
    if more or test.reliability is not None:
        part = shown(test.scores, test.reliability)
        assert part is not None, "only what parts the class is tested"
        return part
    farthest = shown(-test.scores, None)
    assert farthest is not None, "without a threshold a third is taken"
    return Shown(~farthest.having, by_threshold=False)


def _counts(having: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> dict[str, int]:
    return {
        "images": int(having.sum()),
        "wrong": int((having & wrong).sum()),
        "images_without": int((~having).sum()),
        "wrong_without": int((~having & wrong).sum()),
    }


def _title(test: ConceptTest, figures: dict[str, int], part: Shown, *, more: bool) -> str:
    wrong, without = figures["wrong"], figures["wrong_without"]
    right, right_without = figures["images"] - wrong, figures["images_without"] - without
    if part.by_threshold:
        return (
            f"{wrong} of the {wrong + without} misclassified images {test.concept.phrase} "
            f"({right} of the {right + right_without} correct ones)"
        )
    nearness, inside, bad, rest, others = (
        ("nearest to", figures["images"], wrong, figures["images_without"], without)
        if more
        else ("farthest from", figures["images_without"], without, figures["images"], wrong)
    )
    return (
        f"of the {inside} images {nearness} “{test.concept.term}” {bad} are misclassified, "
        f"{others} of the other {rest}"
    )


def clause(finding: Finding) -> str:
    """Say how many of the misclassified and of the correct images show it."""
    return finding.title


def details(finding: Finding) -> list[str]:
    """Return the figures of a concept as printed lines."""
    figures = finding.figures
    inside, outside = figures["images"], figures["images_without"]
    most = "it" if figures["by_threshold"] else "most of it"
    return [
        with_without(
            most,
            (inside - figures["wrong"], inside),
            (outside - figures["wrong_without"], outside),
        ),
        f"Misclassified images show more of it than correct ones in {100 * figures['effect']:.0f} "
        f"of 100 pairs, similarity to both names taken out: {chance(figures['p'])}, "
        f"{chance(figures['q'], 'q')} over {figures['tested']} concepts, "
        f"{chance(figures['whole'])} for any.",
        _trust(figures),
    ]


def _trust(figures: Any) -> str:
    """Say how well the CLIP tells the concept."""
    if figures["auc"] is None:
        return "How well this CLIP tells the concept is not known: look at the images."
    return (
        f"This CLIP tells the concept with an AUC of {figures['auc']:.2f} on captioned photos of "
        "everyday scenes: look at the images."
    )


CONCEPT: Final = Kind(NAME, "concept", "#ffd166", detect, details, clause)
