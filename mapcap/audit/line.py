"""One line about a class, in clauses each of which rests on its own figures."""

from mapcap.audit.facts import Clause, Facts
from mapcap.audit.kinds import KINDS, confusion, word
from mapcap.stats import SIGNIFICANT
from mapcap.text import counted

_GAP = 0.2
_MOST_NAMED = 2
"""Causes that the line names."""
_LOOKS = ("regions_", "maps_")


def clauses(facts: Facts) -> list[Clause]:
    """Return the clauses of a class's line: what happens, what may explain it, what does not."""
    if not facts.images:
        return [Clause("no image was predicted", {"images": 0})]
    causes = _causes(facts)
    if not facts.labelled:
        images = f"{counted(facts.images, 'image')} predicted as it"
        return [Clause(images, {"images": facts.images}), *causes]
    parts = [
        Clause(
            f"{facts.right} of {facts.images} correct",
            {"right": facts.right, "images": facts.images},
        ),
        *confusion.clauses(facts),
        *causes,
        *_look(facts, explained=bool(causes)),
        # Beside a cause that separates them, no word needs to.
        *([] if causes else word.none_separates(facts)),
        *_sureness(facts),
    ]
    if len(parts) == 1:
        parts.append(Clause("no issue found", {"findings": len(facts.findings)}))
    return parts


def _causes(facts: Facts) -> list[Clause]:
    """Name the first findings of the kinds that say more than what the images are predicted as.

    Without labels none of them costs anything.
    """
    return [
        Clause(clause(finding), {"kind": finding.kind, **finding.figures})
        for finding in facts.findings
        if not (facts.labelled and finding.is_note)
        and (clause := KINDS[finding.kind].clause) is not None
    ][:_MOST_NAMED]


def _look(facts: Facts, *, explained: bool) -> list[Clause]:
    """Say whether misclassified images attend to what correct ones attend to.

    That no difference is significant shows no sameness: the yardstick of that is how alike the
    correct images are among themselves.
    """
    cosine, half = facts.figures["regions_cosine"], facts.figures["regions_half"]
    if cosine is None or half is None or not facts.comparable:
        return []
    figures = {key: value for key, value in facts.figures.items() if key.startswith(_LOOKS)}
    if facts.regions_as_alike:
        text = (
            "misclassified images' regions are as like the correct ones' as these are among "
            f"themselves (cosine {cosine:.2f}, halves of the correct {half:.2f})"
        )
    elif not facts.regions_differ:
        text = (
            "no difference shown between the regions of misclassified and correct images "
            f"(cosine {cosine:.2f}, {facts.wrong} misclassified)"
        )
    elif not explained:
        text = (
            "misclassified images' regions differ from the correct ones' "
            f"(cosine {cosine:.2f}, halves of the correct {half:.2f})"
        )
    else:
        return []
    if (facts.figures["maps_p"] or 1) <= SIGNIFICANT:
        text += f", in other places (cosine {facts.figures['maps_cosine']:.2f})"
    return [Clause(text, figures)]


def _sureness(facts: Facts) -> list[Clause]:
    """Say that the model is too sure, or not sure enough, where it predicts the class."""
    keys = ("accuracy", "mean_confidence", "ece", "ece_level", "predicted_images")
    figures = {key: facts.figures[key] for key in keys}
    if figures["ece"] is None or figures["ece"] <= figures["ece_level"]:
        return []
    accuracy, confidence = figures["accuracy"], figures["mean_confidence"]
    if abs(confidence - accuracy) < _GAP:
        return []
    how = "overconfident" if confidence > accuracy else "underconfident"
    text = f"{how} (confidence {confidence:.2f}, accuracy {accuracy:.2f} where it is predicted)"
    return [Clause(text, figures)]
