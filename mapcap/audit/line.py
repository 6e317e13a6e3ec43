"""One line about a class, in clauses each of which rests on its own figures."""

from mapcap.audit.facts import ALIKE, UNLIKE, Clause, Facts
from mapcap.audit.kinds import KINDS, confusion, word
from mapcap.audit.kinds import slice as slices
from mapcap.stats import SIGNIFICANT

_GAP = 0.2
_PRONOUNCED = 0.05
"""Least score of a finding that the line names."""
_MOST_NAMED = 2


def clauses(facts: Facts) -> list[Clause]:
    """Return the clauses of a class's line: what happens, what may explain it, what does not."""
    if not facts.images:
        return [Clause("no image was predicted", {"images": 0})]
    # Slices and words say already what the errors' regions are.
    explained = bool(facts.of_kind(slices.NAME) or word.telling_words(facts))
    said = [
        Clause(
            f"{facts.right} of {facts.images} correct",
            {"right": facts.right, "images": facts.images},
        ),
        *confusion.clauses(facts),
        *_explanations(facts),
        *_look(facts, explained=explained),
        *word.clauses(facts, explained=explained),
        *_sureness(facts),
    ]
    if len(said) == 1:
        said.append(Clause("no issue found", {"findings": len(facts.findings)}))
    return said


def _explanations(facts: Facts) -> list[Clause]:
    """Name the strongest findings of the kinds that the line does not sum up."""
    pronounced = [
        finding
        for finding in facts.findings
        if KINDS[finding.kind].clause is not None and finding.score >= _PRONOUNCED
    ]
    strongest = sorted(pronounced, key=lambda finding: -finding.score)[:_MOST_NAMED]
    if not strongest and not word.telling_words(facts):
        strongest = facts.of_kind(slices.NAME)[:1]
    return [
        Clause(clause(finding), {"kind": finding.kind, **finding.figures})
        for finding in strongest
        if (clause := KINDS[finding.kind].clause) is not None
    ]


def _look(facts: Facts, *, explained: bool) -> list[Clause]:
    """Say whether misclassified images attend to what correct ones attend to.

    A high cosine without a significant difference is no difference shown, not sameness.
    """
    cosine = facts.figures["regions_cosine"]
    if cosine is None or not facts.comparable:
        return []
    keys = ("regions_cosine", "regions_p", "maps_cosine", "maps_p")
    figures = {key: facts.figures[key] for key in keys}
    if facts.same_regions:
        text = (
            "no difference shown between the regions of misclassified and correct images "
            f"(cosine {cosine:.2f}, {facts.wrong} misclassified)"
        )
    elif cosine < UNLIKE and not explained:
        text = f"misclassified images' regions differ from the correct ones' (cosine {cosine:.2f})"
    else:
        return []
    if (facts.figures["maps_p"] or 1) <= SIGNIFICANT and facts.figures["maps_cosine"] < ALIKE:
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
