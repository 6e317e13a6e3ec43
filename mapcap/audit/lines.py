"""One line about a class, in clauses each of which rests on its own figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapcap.audit.findings import Found
from mapcap.audit.word_rows import WordRow
from mapcap.stats import SIGNIFICANT

_ENOUGH = 5
"""Wrong, and right, images without which the two are not compared in words."""
_ALIKE, _UNLIKE = 0.95, 0.85
_DRAWN = 0.2
"""Share of a class's images that one other class draws, for their names to compete."""
_GAP = 0.2
_PRONOUNCED = 0.05
"""Least score of a finding that the line names."""
_MOST_NAMED = 2


@dataclass(frozen=True)
class Clause:
    """A part of the line and the figures that it is made from."""

    text: str
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the line may speak of; `figures` are those of calibration and likeness."""

    name: str
    images: int
    right: int
    classes: int
    figures: Mapping[str, Any]
    findings: Sequence[Found]
    words: Sequence[WordRow]
    pairs: Sequence[WordRow]

    @property
    def wrong(self) -> int:
        """Number of wrong images."""
        return self.images - self.right

    @property
    def confusions(self) -> list[Found]:
        """The classes that its own images are taken for, the most first."""
        own = [one for one in self.findings if "predicted_class_id" in one.figures]
        return sorted(own, key=lambda one: -int(one.figures["count"]))


def clauses(facts: Facts) -> list[Clause]:
    """Return the clauses of a class's line: what happens, what may explain it, what does not."""
    if not facts.images:
        return [Clause("no image was predicted", {"images": 0})]
    right = {"right": facts.right, "images": facts.images}
    said = [Clause(f"{facts.right} of {facts.images} right", right)]
    said += _taken_for(facts)
    explained = _explanations(facts)
    said += explained
    said += _look(facts)
    said += _words(facts)
    said += _sureness(facts)
    if len(said) == 1:
        said.append(Clause("no fault stands out", {"findings": len(facts.findings)}))
    return said


def _taken_for(facts: Facts) -> list[Clause]:
    """Say what the images are taken for: the classes that draw many of them."""
    drawn = [one for one in facts.confusions if one.figures["count"] >= 0.05 * facts.images][:2]
    if not drawn:
        if facts.wrong < _ENOUGH:
            return []
        return [Clause(f"{facts.wrong} errors that no one class draws", {"wrong": facts.wrong})]
    first, *more = drawn
    text = f"{first.figures['count']} taken for {first.figures['predicted']}"
    text += "".join(f", {one.figures['count']} for {one.figures['predicted']}" for one in more)
    keys = ("predicted", "count", "share_of_errors", "q")
    return [Clause(text, {"taken_for": [{key: one.figures[key] for key in keys} for one in drawn]})]


def _explanations(facts: Facts) -> list[Clause]:
    """Name the strongest findings that are no confusion, and no word: those have clauses."""
    named = [
        one
        for one in facts.findings
        if one.kind not in ("confusion", "word") and one.score >= _PRONOUNCED
    ]
    strongest = sorted(named, key=lambda one: -one.score)[:_MOST_NAMED]
    if not strongest and not any(one.kind == "word" for one in facts.findings):
        strongest = [one for one in facts.findings if one.kind == "slice"][:1]
    return [Clause(_named(one), {"kind": one.kind, **one.figures}) for one in strongest]


def _named(found: Found) -> str:
    figures = found.figures
    if found.kind == "background":
        text = (
            f"{figures['images']} have a {figures['word']} background "
            f"({figures['share_elsewhere']:.0%} elsewhere)"
        )
        return text + _accuracies(figures)
    if found.kind == "mark":
        text = (
            f"{figures['images']} have a {figures['colour']} mark at the {figures['place']}, "
            f"on which {figures['relevance']:.0%} of the relevance falls"
        )
        return text + _accuracies(figures)
    if found.kind == "label":
        return found.title.replace(f" of {figures['of']}", "", 1)
    name = figures["names"][0].rstrip(".") if figures["names"] else "one slice"
    return f"{figures['wrong']} of the {figures['images']} like “{name}” are wrong"


def _accuracies(figures: Mapping[str, Any]) -> str:
    p = figures["accuracy_p"]
    if p is None or p > SIGNIFICANT:
        return ""
    there, absent = figures["accuracy_with"], figures["accuracy_without"]
    return f", {there:.0%} right with it and {absent:.0%} without"


def _look(facts: Facts) -> list[Clause]:
    """Say whether the errors look at what the right images look at."""
    cosine = facts.figures["regions_cosine"]
    if cosine is None or min(facts.right, facts.wrong) < _ENOUGH:
        return []
    keys = ("regions_cosine", "regions_p", "maps_cosine", "maps_p")
    figures = {key: facts.figures[key] for key in keys}
    if _same_regions(facts):
        text = f"the errors look at the same regions as the right ones (cosine {cosine:.2f})"
    elif cosine < _UNLIKE and not _sliced(facts):
        text = f"the errors' regions are unlike those of the right ones (cosine {cosine:.2f})"
    else:
        return []
    if (facts.figures["maps_p"] or 1) <= SIGNIFICANT and facts.figures["maps_cosine"] < _ALIKE:
        text += f", in other places (cosine {facts.figures['maps_cosine']:.2f})"
    return [Clause(text, figures)]


def _sliced(facts: Facts) -> bool:
    """Whether slices or words say already what the errors' regions are."""
    return any(one.kind in ("slice", "word") for one in facts.findings)


def _same_regions(facts: Facts) -> bool:
    cosine, p = facts.figures["regions_cosine"], facts.figures["regions_p"]
    return cosine is not None and cosine >= _UNLIKE and (cosine >= _ALIKE or p > SIGNIFICANT)


def _words(facts: Facts) -> list[Clause]:
    """Say which words tell the errors, or that none does and what remains then."""
    if min(facts.right, facts.wrong) < _ENOUGH or not facts.words:
        return []
    telling = [one for one in facts.findings if one.kind == "word"]
    if telling:
        return [Clause(_told(telling), {"words": [dict(one.figures) for one in telling]})]
    least_q = min(row.q for row in facts.words)
    if least_q <= SIGNIFICANT or _sliced(facts):
        return []
    figures: dict[str, Any] = {"tested": len(facts.words), "least_q": least_q}
    return [Clause("no word separates them" + _competing(facts, figures), figures)]


def _told(telling: Sequence[Found]) -> str:
    parts = []
    for has_it, verb in ((True, "marks"), (False, "is missing from")):
        words = [
            f"“{one.figures['word']}”" for one in telling if one.figures["errors_have_it"] == has_it
        ][:2]
        if words:
            plural = {"marks": "mark", "is missing from": "are missing from"}
            chosen = verb if len(words) == 1 else plural[verb]
            parts.append(f"{' and '.join(words)} {chosen} the errors")
    return ", ".join(parts)


def _competing(facts: Facts, figures: dict[str, Any]) -> str:
    """Say that two names compete, where nothing else that was looked at tells the images apart.

    One class draws most of the errors, they look at the same regions as the right images, and no
    word tells them from the right images of that class either.
    """
    first = next(iter(facts.confusions), None)
    if first is None or not _same_regions(facts):
        return ""
    of_pair = [row.q for row in facts.pairs if row.against == first.figures["predicted_class_id"]]
    figures |= {
        "share_of_errors": first.figures["share_of_errors"],
        "regions_cosine": facts.figures["regions_cosine"],
        "names_cosine": first.figures["names_cosine"],
        "names_rank": first.figures["names_rank"],
        "least_q_of_pair": min(of_pair, default=None),
    }
    drawn = first.figures["count"] >= _DRAWN * facts.images
    most = first.figures["share_of_errors"] >= 1 / 2
    alike = all(q > SIGNIFICANT for q in of_pair)
    return ": the two class names compete" if drawn and most and alike else ""


def _sureness(facts: Facts) -> list[Clause]:
    accuracy, confidence = facts.figures["accuracy"], facts.figures["mean_confidence"]
    if abs(confidence - accuracy) < _GAP:
        return []
    how = "surer" if confidence > accuracy else "less sure"
    return [
        Clause(
            f"the model is {how} than it is right (confidence {confidence:.2f}, "
            f"calibration error {facts.figures['ece']:.2f})",
            {key: facts.figures[key] for key in ("accuracy", "mean_confidence", "ece")},
        )
    ]
