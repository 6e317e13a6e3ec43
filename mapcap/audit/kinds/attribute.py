"""Findings of kind `attribute`: how misclassified photos differ as photos: blur, size, border."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit import shortcuts
from mapcap.audit.attributes import ATTRIBUTES, Cut, find_cuts, share_elsewhere, text_of, value_of
from mapcap.audit.cost import beyond
from mapcap.audit.facts import ENOUGH
from mapcap.audit.findings import MOST_EVIDENCE, Finding, discounted, same_images
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, percent, with_without
from mapcap.audit.material import Material, rate, wrong_first
from mapcap.stats import SIGNIFICANT, false_discovery, fisher, hypergeometric

NAME: Final = "attribute"
_NEARLY = 0.85
"""Share of the largest excess with which an attribute stands for others of the same images."""
_FAULTS: Final = (
    ("border", True),
    ("detail", False),
    ("sharpness", False),
    ("chroma", False),
    ("brightness", False),
    ("noise", True),
)
"""What many of a class's photos may have (above or below) by how they were made, not by what they
show."""
_TAIL = 5
"""Percentage of the other classes' images that have it."""
_LEAST_EXCESS = 0.3
"""By how much more of the class's photos than of others must have it. In 25 classes of 40
TinyImageNet photos none reaches it; half a class framed, blurred, dark ... does."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what misclassified photos have, and what most photos of the class have."""
    material = inputs.material
    findings = attributes(material)
    named = {finding.figures["attribute"] for finding in findings}
    return [*discounted(findings, inputs.suspected), *faults(material, named)]


def attributes(material: Material) -> list[Finding]:
    """Return the attributes by which misclassified images differ from the class's correct ones.

    q is over the attributes tested. Of those that concern mostly the same misclassified images,
    the first of `ATTRIBUTES` that parts nearly as well as the best one is kept.
    """
    images = material.images
    wrong = ~images.correct
    if min(int(wrong.sum()), int((~wrong).sum())) < ENOUGH:
        return []
    cuts = find_cuts(images.attributes, wrong, seed=material.seed)
    q = false_discovery([cut.p for cut in cuts])
    shown = [
        (cut, float(value)) for cut, value in zip(cuts, q, strict=True) if value <= SIGNIFICANT
    ]
    return [_finding(material, cut, value) for cut, value in _apart(shown, wrong)]


def _apart(shown: Sequence[tuple[Cut, float]], wrong: NDArray[np.bool_]) -> list[tuple[Cut, float]]:
    """Return cuts, the largest excess first, one for those of mostly the same images."""
    rest = sorted(shown, key=lambda pair: -pair[0].z)
    kept = []
    while rest:
        best = rest[0][0]
        first = _members(best, wrong)
        alike = [pair for pair in rest if same_images(_members(pair[0], wrong), first)]
        nearly = [pair for pair in alike if pair[0].z >= _NEARLY * best.z]
        kept.append(min(nearly, key=lambda pair: pair[0].column))
        rest = [pair for pair in rest if all(pair is not other for other in alike)]
    return kept


def _members(cut: Cut, wrong: NDArray[np.bool_]) -> frozenset[int]:
    """Return the places of the misclassified images of a cut."""
    return frozenset(np.flatnonzero(cut.having & wrong).tolist())


def _finding(material: Material, cut: Cut, q: float) -> Finding:
    images, wrong = material.images, ~material.images.correct
    having, attribute = cut.having, ATTRIBUTES[cut.column]
    inside, bad = int(having.sum()), int((having & wrong).sum())
    outside, bad_without = len(images) - inside, int((~having & wrong).sum())
    text = text_of(attribute, cut, rare=share_elsewhere(material, cut))
    evidence = wrong_first(images, having)
    return Finding(
        NAME,
        f"{bad} of the {inside} {text} are misclassified (the others {bad_without} of {outside})",
        beyond(having, wrong),
        {
            "attribute": attribute.name,
            "text": text,
            "above": cut.above,
            "cut": cut.value,
            "images": inside,
            "wrong": bad,
            "images_without": outside,
            "wrong_without": bad_without,
            "p": cut.p,
            "q": q,
            "tested": cut.tests,
            **_elsewhere(material, cut),
        },
        images.ids[evidence].tolist()[:MOST_EVIDENCE],
        (),
        _members(cut, wrong),
        _subject(attribute.name, above=cut.above),
    )


def _subject(name: str, *, above: bool) -> str:
    return f"{name} {'above' if above else 'below'}"


def _elsewhere(material: Material, cut: Cut) -> dict[str, float | None]:
    """Return how many images of other classes are so, and how these fare in the run's sample."""
    reference = material.reference
    values = reference.attributes[:, cut.column]
    others = (reference.classes != material.class_id) & np.isfinite(values)
    share = share_elsewhere(material, cut)
    if share is None:
        return dict.fromkeys(("share_elsewhere", "error_elsewhere", "error_rest", "p_elsewhere"))
    so = (values[others] > cut.value) == cut.above
    wrong = (reference.predicted != reference.classes)[others]
    there, rest = wrong[so], wrong[~so]
    p = fisher(int(there.sum()), len(there), int(rest.sum()), len(rest))
    return {
        "share_elsewhere": share,
        "error_elsewhere": rate(there),
        "error_rest": rate(rest),
        "p_elsewhere": p,
    }


@dataclass(frozen=True, eq=False)
class _Fault:
    """What most photos of a class have and few others, as `shortcuts` takes it."""

    having: NDArray[np.bool_]
    share: float
    share_elsewhere: float
    p: float

    @property
    def excess(self) -> float:
        return self.share - self.share_elsewhere


def faults(material: Material, named: set[str]) -> list[Finding]:
    """Return what most of the class's photos have by how they were made, and few others have.

    Attributes that are `named` already are left out.
    """
    names, reference = [attribute.name for attribute in ATTRIBUTES], material.reference
    elsewhere = reference.classes != material.class_id
    findings = []
    for name, above in _FAULTS:
        column, sign = names.index(name), 1 if above else -1
        others = sign * reference.attributes[elsewhere, column]
        members = sign * material.images.attributes[:, column]
        if name in named or not (
            len(members) and np.isfinite(members).any() and np.isfinite(others).any()
        ):
            continue
        cut = float(np.nanpercentile(others, 100 - _TAIL))
        having, there = members > cut, int((others > cut).sum())
        p = hypergeometric(int(having.sum()), len(members), there, len(others))
        fault = _Fault(
            having, float(having.mean()), there / len(others), min(1.0, p * len(_FAULTS))
        )
        if shortcuts.pronounced(fault, _LEAST_EXCESS):
            findings.append(_shared(material, column, fault, above=above, cut=sign * cut))
    return findings


def _shared(material: Material, column: int, fault: _Fault, *, above: bool, cut: float) -> Finding:
    attribute = ATTRIBUTES[column]
    words = (attribute.high if above else attribute.low)[0].removesuffix(" ones")
    text = words.format(cut=value_of(attribute, cut))
    title = (
        f"{int(fault.having.sum())} of {len(material.images)} {_so(text)}, "
        f"{fault.share_elsewhere:.0%} elsewhere"
    )
    figures = {"attribute": attribute.name, "text": text, "above": above, "cut": cut}
    subject = f"most {_subject(attribute.name, above=above)}"
    return shortcuts.finding_of(NAME, material, fault, title, figures, subject)


def _so(text: str) -> str:
    """Return what photos are or have, by what they are called."""
    return text.replace("with ", "have ", 1) if text.startswith("with ") else f"are {text}"


def clause(finding: Finding) -> str:
    """Say how many of the images that are so are misclassified, or how many are so."""
    figures = finding.figures
    if "share" not in figures:
        return finding.title
    return f"{figures['images']} {_so(figures['text'])}" + shortcuts.accuracies(figures)


def details(finding: Finding) -> list[str]:
    """Return the figures of an attribute as printed lines."""
    figures = finding.figures
    attribute = next(each for each in ATTRIBUTES if each.name == figures["attribute"])
    side = "over" if figures["above"] else "at most"
    measure = f"{attribute.label} {side} {value_of(attribute, figures['cut'])}"
    if "share" in figures:
        return [*shortcuts.details(finding), f"{measure}."]
    inside, outside = figures["images"], figures["images_without"]
    lines = [
        with_without(
            "it",
            (inside - figures["wrong"], inside),
            (outside - figures["wrong_without"], outside),
        ),
        f"{measure}; {chance(figures['p'])} over all cuts, {chance(figures['q'], 'q')} over "
        f"{figures['tested']} attributes.",
    ]
    if figures["share_elsewhere"] is not None:
        lines.append(
            f"So are {percent(figures['share_elsewhere'])} of the other classes' images: "
            f"{percent(figures['error_elsewhere'])} of them misclassified, "
            f"{percent(figures['error_rest'])} of the rest ({chance(figures['p_elsewhere'])})."
        )
    return lines


ATTRIBUTE: Final = Kind(NAME, "photo", "#ff9e80", detect, details, clause, overlay=False)
