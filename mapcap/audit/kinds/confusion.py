"""Findings of kind `confusion`: what the class is taken for, and what is taken for it."""

from collections import Counter
from typing import Final

from mapcap.audit.facts import ENOUGH, Clause, Facts
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, listed, percent
from mapcap.audit.material import Material, places
from mapcap.stats import SIGNIFICANT, binomial, false_discovery

NAME: Final = "confusion"
_FEWEST = 2
_LEAST_SHARE = 0.2
"""Share of what is taken for a class that another's images make up, for it to be reported."""
_DRAWN = 0.05
"""Share of a class's images taken for another, for the line to name it."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what the class is taken for, and what is taken for it."""
    material = inputs.material
    return [*confusions(material, inputs.suspected), *mistaken_others(material)]


def confusions(material: Material, suspected: frozenset[int]) -> list[Finding]:
    """Return the classes that errors fall on more often than if they fell on all alike.

    The strength is the share of the class's errors that fall on that class. Errors on images whose
    label is doubted do not count in the score: they may be none.
    """
    images, names = material.images, material.names
    wrong = ~images.correct
    counts = Counter(images.predicted[wrong].tolist())
    errors, others = int(wrong.sum()), len(names.ids) - 1
    p = [binomial(count, errors, 1 / others) if others > 1 else 0.0 for count in counts.values()]
    q = false_discovery(p)
    found = []
    for (said, count), rate in zip(counts.items(), q, strict=True):
        if count < _FEWEST or rate > SIGNIFICANT:
            continue
        taken = places(wrong & (images.predicted == said), -images.confidence)
        trusted = count - len(suspected.intersection(taken.tolist()))
        cosine, rank = names.nearness(material.class_id, said)
        regions = material.contrasts.of(taken)
        captions = Counter(material.contrasts.captions[i] for i in regions)
        figures = {
            "predicted_class_id": said,
            "predicted": names.names[said],
            "count": count,
            "images": len(images),
            "share_of_errors": count / errors,
            "mean_confidence": float(images.confidence[taken].mean()),
            "doubted_labels": count - trusted,
            "taken_back": names.taken_for.get((said, material.class_id), 0),
            "names_cosine": cosine,
            "names_rank": rank,
            "contrast_captions": captions.most_common(3),
            "q": float(rate),
        }
        found.append(
            Finding(
                NAME,
                f"{count} of {len(images)} are taken for {names.names[said]}",
                trusted / len(images) * count / errors,
                figures,
                images.ids[taken].tolist()[:MOST_EVIDENCE],
                material.contrasts.ids[regions].tolist()[:MOST_EVIDENCE],
                frozenset(taken.tolist()),
            )
        )
    return found


def mistaken_others(material: Material) -> list[Finding]:
    """Return the class whose images are most taken for this one, where they are many.

    The strength is their share of the images said to be this class; they belong to another class,
    so that nothing of this one is explained.
    """
    names, me, own = material.names, material.class_id, int(material.images.correct.sum())
    into = {one: n for (one, other), n in names.taken_for.items() if other == me and one != me}
    said = own + sum(into.values())
    if not into or not len(material.images):
        return []
    other, count = max(into.items(), key=lambda pair: (pair[1], -pair[0]))
    if count / said < _LEAST_SHARE or count < _FEWEST:
        return []
    title = f"{count} of the {said} taken for {names.names[me]} are {names.names[other]}"
    figures = {"class_id": other, "class": names.names[other], "count": count, "said": said}
    # Half as much as one of the class's own: it is the other class that fails.
    return [Finding(NAME, title, (count / said) ** 2 / 2, figures)]


def drawn(facts: Facts) -> list[Finding]:
    """Return the confusions of a class's own images, the most frequent first."""
    own = [one for one in facts.of_kind(NAME) if "predicted_class_id" in one.figures]
    return sorted(own, key=lambda one: -int(one.figures["count"]))


def clauses(facts: Facts) -> list[Clause]:
    """Say what the images are taken for: the classes that draw many of them."""
    many = [one for one in drawn(facts) if one.figures["count"] >= _DRAWN * facts.images][:2]
    if not many:
        if facts.wrong < ENOUGH:
            return []
        return [Clause(f"{facts.wrong} errors that no one class draws", {"wrong": facts.wrong})]
    first, *more = many
    text = f"{first.figures['count']} taken for {first.figures['predicted']}"
    text += "".join(f", {one.figures['count']} for {one.figures['predicted']}" for one in more)
    keys = ("predicted", "count", "share_of_errors", "q")
    return [Clause(text, {"taken_for": [{key: one.figures[key] for key in keys} for one in many]})]


def details(finding: Finding) -> list[str]:
    """Return the figures of a confusion as printed lines."""
    figures = finding.figures
    if "class" in figures:
        share = percent(figures["count"] / figures["said"])
        return [
            f"{share} of what is taken for this class is {figures['class']}.",
            "It is that class which fails.",
        ]
    name, nearer = figures["predicted"], figures["names_rank"] - 1
    lines = [
        f"{percent(figures['share_of_errors'])} of the errors go there "
        f"({chance(figures['q'], 'q')}).",
        f"The model is {percent(figures['mean_confidence'])} sure of it on average.",
    ]
    if figures["doubted_labels"]:
        doubted, count = figures["doubted_labels"], figures["count"]
        lines.append(f"{doubted} of the {count} may be labelled wrongly.")
    lines += [
        f"The other way round: {figures['taken_back']} of {name}.",
        f"The two names: cosine {figures['names_cosine']:.2f}, {nearer or 'none'} of the others "
        "nearer.",
    ]
    captions = figures["contrast_captions"]
    if captions:
        lines.append(f"What speaks for {name} there:")
        lines += [listed(f"{count}×", caption) for caption, count in captions]
    return lines


CONFUSION: Final = Kind(NAME, "confusion", "#ff6b6b", detect, details, clause=None)
