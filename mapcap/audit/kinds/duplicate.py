"""Findings of kind `duplicate`: the same photo twice, in one class or in two."""

from collections import Counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.copies import Copies
from mapcap.audit.cost import NOTHING, beyond_expected
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, listed
from mapcap.audit.material import Material, places

NAME: Final = "duplicate"
_MOST_PAIRS = 20
_MOST_LISTED = 6
_MOST_CLASSES = 3


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the class's photos that are in other classes as well, and those it has twice."""
    return duplicates(inputs.material, inputs.copies, inputs.misplaced)


def duplicates(material: Material, copies: Copies, misplaced: NDArray[np.int64]) -> list[Finding]:
    """Return a finding for copies in other classes and one for copies within the class.

    `misplaced` are the places of the images that are predicted as the class of their copy.
    """
    within = copies.classes == material.class_id
    return [*_across(material, copies, ~within, misplaced), *_within(material, copies, within)]


def _across(
    material: Material, copies: Copies, chosen: NDArray[np.bool_], misplaced: NDArray[np.int64]
) -> list[Finding]:
    """Return the photos that another class has as well: one of the two labels is wrong.

    Or one of the two predictions, without labels. It explains the misclassified ones that are
    predicted as the class of their copy.
    """
    if not chosen.any():
        return []
    images, names = material.images, material.names.names
    places_, classes = copies.places[chosen], copies.classes[chosen]
    labels = Counter(classes.tolist()).most_common(_MOST_CLASSES)
    pairs = _pairs(material, copies, chosen)
    n = len(np.unique(places_))
    class_names = ", ".join(names[label] for label, _ in labels)
    figures = {"classes": {names[label]: count for label, count in labels}}
    return [
        _finding(
            material,
            places_,
            f"{n} of {len(images)} are in another class as well ({class_names}): "
            f"{pairs[0][0]} is {pairs[0][1]}",
            {**figures, "pairs": pairs, "across": True},
            frozenset(misplaced.tolist()),
        )
    ]


def _within(material: Material, copies: Copies, chosen: NDArray[np.bool_]) -> list[Finding]:
    """Return the photos that the class has more than once: they count so in its figures."""
    if not chosen.any():
        return []
    pairs = _pairs(material, copies, chosen)
    places_ = copies.places[chosen]
    title = (
        f"{len(np.unique(places_))} of {len(material.images)} are copies within the class: "
        f"{pairs[0][0]} is {pairs[0][1]}"
    )
    figures = {"pairs": pairs, "across": False}
    return [_finding(material, places_, title, figures, frozenset())]


def _pairs(
    material: Material, copies: Copies, chosen: NDArray[np.bool_]
) -> list[tuple[str, str, bool]]:
    """Return (path, path of the copy, whether the files are equal), each pair once."""
    ids = material.images.ids[copies.places]
    # Within a class each pair is there from both sides.
    once = np.flatnonzero(chosen & ((copies.classes != material.class_id) | (ids < copies.ids)))
    kept = once[:_MOST_PAIRS]
    paths = material.paths([*ids[kept].tolist(), *copies.ids[kept].tolist()])
    return [(paths[int(ids[i])], paths[int(copies.ids[i])], bool(copies.same[i])) for i in kept]


def _finding(
    material: Material,
    members: NDArray[np.int64],
    title: str,
    figures: dict[str, Any],
    wrong: frozenset[int],
) -> Finding:
    images = material.images
    having = np.zeros(len(images), bool)
    having[members] = True
    return Finding(
        NAME,
        title,
        beyond_expected(len(wrong), len(images), 0) if wrong else NOTHING,
        {
            **figures,
            "images": int(having.sum()),
            "wrong": len(wrong) if material.labelled else None,
        },
        images.ids[places(having, images.margins)].tolist()[:MOST_EVIDENCE],
        (),
        wrong,
    )


def clause(finding: Finding) -> str:
    """Say how many photos are in another class as well, or twice in this one."""
    figures = finding.figures
    if not figures["across"]:
        return f"{figures['images']} are copies within the class"
    return f"{figures['images']} are in {' and '.join(figures['classes'])} as well"


def details(finding: Finding) -> list[str]:
    """Return what follows from the copies, and the first pairs of paths, as printed lines."""
    figures = finding.figures
    if figures["wrong"] is None:
        lines = ["The classifier gives a photo and its copy two classes."] * figures["across"]
    elif figures["across"]:
        lines = [
            "One of the two labels is wrong, or a photo shows both.",
            f"{figures['wrong']} of them are predicted as the class of their copy.",
        ]
    else:
        lines = ["They count more than once in the accuracy; the class has fewer photos."]
    pairs = figures["pairs"][:_MOST_LISTED]
    return lines + [listed("=" if same else "≈", f"{path}, {copy}") for path, copy, same in pairs]


DUPLICATE: Final = Kind(
    NAME, "duplicate", "#c7b299", detect, details, clause, overlay=False, of_errors=False
)
