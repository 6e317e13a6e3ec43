"""Findings of kind `confusion`: what a class is predicted as, and what is predicted as it."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.cost import NOTHING, beyond_expected
from mapcap.audit.facts import ENOUGH, Clause, Facts
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, listed, percent
from mapcap.audit.material import Material, mean_of, places
from mapcap.stats import SIGNIFICANT, binomial, false_discovery

NAME: Final = "confusion"
_FEWEST = 2
_LEAST_SHARE = 0.2
"""Share of what is predicted as a class that another's images make up, for it to be reported."""
_DRAWN = 0.05
"""Share of a class's images predicted as another, for the line to name it."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what the class is predicted as, and what is predicted as it."""
    material = inputs.material
    return [*confusions(material, inputs.suspected), *mistaken_others(material)]


def confusions(material: Material, suspected: frozenset[int]) -> list[Finding]:
    """Return the classes that errors fall on more often than if they fell on all alike.

    Errors on images whose label is doubted cost nothing: they may be none. q is over all other
    classes of the run: those without an error were candidates as well.
    """
    images, names = material.images, material.names
    wrong = ~images.correct
    counts = Counter(images.predicted[wrong].tolist())
    errors, others = int(wrong.sum()), len(names.ids) - 1
    p = [binomial(count, errors, 1 / others) if others > 1 else 0.0 for count in counts.values()]
    q = false_discovery(p, family=max(others, len(p)))
    findings = []
    for (rival, count), rate in zip(counts.items(), q, strict=True):
        if count < _FEWEST or rate > SIGNIFICANT:
            continue
        members = places(wrong & (images.predicted == rival), -images.confidence)
        findings.append(_confusion(material, rival, members, suspected, q=float(rate)))
    return findings


def _confusion(
    material: Material,
    rival: int,
    members: NDArray[np.int64],
    suspected: frozenset[int],
    *,
    q: float,
) -> Finding:
    """Return the finding of the images (places `members`) that are predicted as a rival."""
    images, names = material.images, material.names
    count, errors = len(members), int((~images.correct).sum())
    trusted = count - len(suspected.intersection(members.tolist()))
    cosine, rank = names.nearness(material.class_id, rival)
    regions = material.contrasts.of(members)
    captions = Counter(material.contrasts.captions[i] for i in regions)
    figures = {
        "predicted_class_id": rival,
        "predicted": names.names[rival],
        "count": count,
        "images": len(images),
        "share_of_errors": count / errors,
        "mean_confidence": mean_of(images.confidence[members]),
        "doubted_labels": count - trusted,
        "taken_back": names.taken_for.get((rival, material.class_id), 0),
        "names_cosine": cosine,
        "names_rank": rank,
        "contrast_captions": captions.most_common(3),
        "q": q,
    }
    return Finding(
        NAME,
        f"{count} of {len(images)} are predicted as {names.names[rival]}",
        beyond_expected(trusted, len(images), errors / max(1, len(names.ids) - 1)),
        figures,
        images.ids[members].tolist()[:MOST_EVIDENCE],
        material.contrasts.ids[regions].tolist()[:MOST_EVIDENCE],
        frozenset(members.tolist()),
        f"as {names.names[rival]}",
    )


def mistaken_others(material: Material) -> list[Finding]:
    """Return the class whose images are most predicted as this one, where they are many.

    A note: they belong to another class, so that no error of this one is explained.
    """
    names, me, correct = material.names, material.class_id, int(material.images.correct.sum())
    into = {
        source: n for (source, other), n in names.taken_for.items() if other == me and source != me
    }
    total = correct + sum(into.values())
    if not into or not len(material.images):
        return []
    other, count = max(into.items(), key=lambda pair: (pair[1], -pair[0]))
    if count / total < _LEAST_SHARE or count < _FEWEST:
        return []
    title = f"{count} of the {total} predicted as {names.names[me]} are {names.names[other]}"
    figures = {"class_id": other, "class": names.names[other], "count": count, "said": total}
    return [Finding(NAME, title, NOTHING, figures, subject=f"from {names.names[other]}")]


def drawn(facts: Facts) -> list[Finding]:
    """Return the confusions of a class's own images, the most frequent first."""
    findings = [each for each in facts.of_kind(NAME) if "predicted_class_id" in each.figures]
    return sorted(findings, key=lambda each: -int(each.figures["count"]))


def clauses(facts: Facts) -> list[Clause]:
    """Say what the images are predicted as: the classes that draw many of them."""
    many = [
        finding for finding in drawn(facts) if finding.figures["count"] >= _DRAWN * facts.images
    ][:2]
    if not many:
        if facts.wrong < ENOUGH:
            return []
        text = f"{facts.wrong} errors spread over many classes"
        return [Clause(text, {"wrong": facts.wrong})]
    first, *more = many
    text = f"{first.figures['count']} predicted as {first.figures['predicted']}"
    for finding in more:
        text += f", {finding.figures['count']} as {finding.figures['predicted']}"
    keys = ("predicted", "count", "share_of_errors", "q")
    figures = [{key: finding.figures[key] for key in keys} for finding in many]
    return [Clause(text, {"taken_for": figures})]


def details(finding: Finding) -> list[str]:
    """Return the figures of a confusion as printed lines."""
    figures = finding.figures
    if "class" in figures:
        share = percent(figures["count"] / figures["said"])
        return [
            f"{share} of what is predicted as this class is {figures['class']}.",
            "It is that class which fails.",
        ]
    name, nearer = figures["predicted"], figures["names_rank"] - 1
    lines = [
        f"{percent(figures['share_of_errors'])} of the errors go there "
        f"({chance(figures['q'], 'q')}).",
    ]
    if figures["mean_confidence"] is not None:
        lines.append(f"The model is {percent(figures['mean_confidence'])} sure of it on average.")
    if figures["doubted_labels"]:
        doubted, count = figures["doubted_labels"], figures["count"]
        lines.append(f"{doubted} of the {count} are possible label errors.")
    lines += [
        f"Reverse confusion: {figures['taken_back']} of {name}.",
        f"The two names: cosine {figures['names_cosine']:.2f}, {nearer or 'none'} of the others "
        "nearer.",
    ]
    captions = figures["contrast_captions"]
    if captions:
        lines.append(f"What speaks for {name} there:")
        lines += [listed(f"{count}×", caption) for caption, count in captions]
    return lines


CONFUSION: Final = Kind(NAME, "confusion", "#ff6b6b", detect, details, clause=None)
