"""Findings of kind `word`: words that mark, or are absent from, misclassified images."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.concepts import kinds_of
from mapcap.audit.cost import NOTHING, beyond
from mapcap.audit.facts import Clause, Facts
from mapcap.audit.findings import MOST_EVIDENCE, Finding, discounted, same_images
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, with_without
from mapcap.audit.kinds import confusion
from mapcap.audit.material import Material, rate, wrong_first
from mapcap.audit.word_rows import WordRow
from mapcap.audit.words import phrases
from mapcap.stats import SIGNIFICANT
from mapcap.texts.wording import says_colours, without_name

NAME: Final = "word"
_FIGURES = ("log_odds", "z", "q", "b2t", "b2t_low", "b2t_high")
_READ_ALIKE = 0.5
"""Least cosine with the class's name, the nearest of all names, of a word for the class itself."""
_DRAWN = 0.2
"""Share of a class's images that one other class draws, for their names to compete."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the words of the errors; what doubted labels explain costs less."""
    return discounted(words(inputs.material, inputs.words), inputs.suspected)


def words(material: Material, rows: Sequence[WordRow]) -> list[Finding]:
    """Return the words that misclassified images have, or lack, more often than correct ones do.

    The images concerned are those that hold the word, or for a word of the correct images those
    that lack it. A word that concerns mostly the same misclassified images as a stronger one is
    left out. Notes, after every other word, are the class's own noun, or a word that reads as it,
    absent (the captioner failed as well, from the same embedding); any other word absent, which
    tells what the correct images show; and colours, which captions name less truly than the
    pixels' attributes do.
    """
    images, wrong = material.images, ~material.images.correct
    findings: list[Finding] = []
    own_nouns = _own_nouns(material, rows)
    notes = {row.word: _note(row, own_noun=row.word in own_nouns) for row in rows}
    for row in sorted(rows, key=lambda row: (bool(notes[row.word]), row.word in own_nouns)):
        holding = np.array([row.word in held for held in images.words])
        concerned = holding if row.z > 0 else ~holding
        marked = frozenset(np.flatnonzero(concerned & wrong).tolist())
        gap = rate(wrong[concerned]) - rate(wrong[~concerned])
        covered = any(same_images(marked, other.wrong) for other in findings)
        if row.q > SIGNIFICANT or gap <= 0 or covered:
            continue
        own_noun, note = row.word in own_nouns, notes[row.word]
        findings.append(_finding(material, row, holding, marked, own_noun=own_noun, note=note))
    return findings


def _note(row: WordRow, *, own_noun: bool) -> str:
    """Return why a word is a note, "" where it is none."""
    if own_noun:
        return "A note: a word for the class itself; the captioner failed on these images as well."
    if row.z <= 0:
        return "A note: it tells what the correct images show, and no more of the others."
    return "A note: captions name colours less truly than pixels do." * says_colours(row.word)


def _own_nouns(material: Material, rows: Sequence[WordRow]) -> frozenset[str]:
    """Return the words absent from misclassified images that only name the class again.

    Those of its name; what the vocabulary of concepts says that a thing of its name is, as roof of
    thatch; and those that the text encoder reads much as the name, and as no other: telephone of
    pay-phone.
    """
    names, name = material.names, material.names.names[material.class_id]
    # Only what may become a finding: the text tower is to read few words.
    absent = [row.word for row in rows if row.z <= 0 and row.q <= SIGNIFICANT]
    if not absent:
        return frozenset()
    cosines = material.embed(absent).astype(np.float32) @ names.embeddings.T.astype(np.float32)
    me = int(names.places(np.array([material.class_id]))[0])
    alike = (cosines.argmax(1) == me) & (cosines[:, me] >= _READ_ALIKE)
    rests = [without_name(word, name) for word in absent]
    return frozenset(
        word
        for word, rest, same in zip(absent, rests, alike.tolist(), strict=True)
        # Of brown bottle, brown says something of a beer bottle.
        if not rest or word in kinds_of(name) or (same and rest == word)
    )


def _finding(
    material: Material,
    row: WordRow,
    holding: NDArray[np.bool_],
    marked: frozenset[int],
    *,
    own_noun: bool,
    note: str,
) -> Finding:
    """Return the finding of a word.

    `holding` (n,) are the images with it, `marked` the places of the misclassified images that it
    concerns; `own_noun` says that it only names the class again, `note` why it is a note.
    """
    images, wrong = material.images, ~material.images.correct
    concerned = holding if row.z > 0 else ~holding
    evidence = wrong_first(images, concerned)
    right, right_without = int((holding & ~wrong).sum()), int((~holding & ~wrong).sum())
    verb = "marks the misclassified" if row.z > 0 else "is absent from misclassified images"
    aside = " (a word for the class itself)" if own_noun else ""
    return Finding(
        NAME,
        f"“{row.word}”{aside} {verb}: {right} of {int(holding.sum())} correct with it, "
        f"{right_without} of {int((~holding).sum())} without",
        NOTHING if note else beyond(concerned, wrong),
        {
            "word": row.word,
            "errors_have_it": row.z > 0,
            "own_noun": own_noun,
            "note": note,
            "images": int(holding.sum()),
            "right": right,
            "images_without": int((~holding).sum()),
            "right_without": right_without,
            **{key: getattr(row, key) for key in _FIGURES},
        },
        images.ids[evidence].tolist()[:MOST_EVIDENCE],
        _find_regions(material, evidence, row.word) if row.z > 0 else (),
        marked,
        row.word if row.z > 0 else f"without {row.word}",
    )


def _find_regions(material: Material, evidence: NDArray[np.int64], word: str) -> list[int]:
    """Return the regions of images whose own caption holds a word."""
    regions = material.regions
    holding = [i for i in regions.of(evidence) if word in phrases([regions.captions[i]])]
    ids: list[int] = regions.ids[holding].tolist()
    return ids[:MOST_EVIDENCE]


def clause(finding: Finding) -> str:
    """Say that a word marks the misclassified images, or that they lack it."""
    figures = finding.figures
    verb = (
        "marks the misclassified"
        if figures["errors_have_it"]
        else "is absent from misclassified images"
    )
    return f"“{figures['word']}” {verb}"


def none_separates(facts: Facts) -> list[Clause]:
    """Say that no word tells the errors, and what remains then."""
    if not facts.comparable or not facts.words:
        return []
    least_q = min(row.q for row in facts.words)
    if least_q <= SIGNIFICANT:
        return []
    figures: dict[str, Any] = {"tested": len(facts.words), "least_q": least_q}
    return [
        Clause(
            "no word distinguishes misclassified from correct images" + _competing(facts, figures),
            figures,
        )
    ]


def _competing(facts: Facts, figures: dict[str, Any]) -> str:
    """Say that two names compete, where nothing else that was looked at tells the images apart.

    One class draws most of the errors, they look at the same regions as the right images, and no
    word tells them from the right images of that class either.
    """
    first = next(iter(confusion.drawn(facts)), None)
    if first is None or facts.regions_differ is not False:
        return ""
    of_pair = [
        row.q for row in facts.pairs if row.against_class_id == first.figures["predicted_class_id"]
    ]
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


def details(finding: Finding) -> list[str]:
    """Return the figures of a word as printed lines."""
    figures = finding.figures
    b2t, low, high = (figures[key] for key in ("b2t", "b2t_low", "b2t_high"))
    side = "misclassified" if b2t > 0 else "correct"
    if low is None:
        sees, interval = "has too few images to see a significant difference", ""
    else:
        sure = low * high > 0
        more, none = f"finds it more in the {side} images, too", "sees no significant difference"
        sees = more if sure else none
        interval = f", 95 % {low:+.3f} to {high:+.3f}"
    return [
        with_without(
            "the word",
            (figures["right"], figures["images"]),
            (figures["right_without"], figures["images_without"]),
        ),
        f"Log-odds {figures['log_odds']:+.2f}, z {figures['z']:+.1f}, {chance(figures['q'], 'q')}.",
        f"CLIP {sees}:",
        f"B2T {b2t:+.3f}{interval}.",
    ]


WORD: Final = Kind(NAME, "word", "#7aa2ff", detect, details, clause)
