"""Findings of kind `disagreement`: whose fault a class's errors are, by a second witness.

Where a person's own classifier predicts, the CLIP is asked as well. An error in which it sees the
labelled class is the classifier's own; one in which both see the same other class rather tells of
a wrong label or of an object that cannot be seen.
"""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.cost import beyond_expected
from mapcap.audit.facts import ENOUGH
from mapcap.audit.findings import MOST_EVIDENCE, Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind, chance, listed, percent
from mapcap.audit.material import NO_WITNESS, Material
from mapcap.stats import SIGNIFICANT, binomial

NAME: Final = "disagreement"
_MOST_NAMED = 6


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what the CLIP says of most of the class's errors, as one finding or none."""
    material = inputs.material
    images = material.images
    wrong = ~images.correct
    errors = int(wrong.sum())
    if errors < ENOUGH or (images.witness == NO_WITNESS).any():
        return []
    label = wrong & (images.witness == material.class_id)
    other = wrong & (images.witness == images.predicted)
    if 2 * label.sum() >= errors:
        return _significant(material, label, _label_rate(material), fault=True)
    if 2 * other.sum() >= errors:
        return _significant(material, other, _other_rate(material), fault=False)
    return []


def _label_rate(material: Material) -> float:
    """Return how often the CLIP says this class of images of the others."""
    reference = material.reference
    others = reference.classes != material.class_id
    count = int((reference.witness[others] == material.class_id).sum())
    return (count + 1) / (int(others.sum()) + 2)


def _other_rate(material: Material) -> float:
    """Return how often the CLIP says the errors' classes of this class's correct images."""
    images = material.images
    witness = images.witness[images.correct]
    rates = [
        (int((witness == rival).sum()) + 1) / (len(witness) + 2)
        for rival in images.predicted[~images.correct].tolist()
    ]
    return float(np.mean(rates))


def _significant(
    material: Material,
    mask: NDArray[np.bool_],
    rate: float,
    *,
    fault: bool,
) -> list[Finding]:
    """Return the finding of the errors in a mask (n,), if the CLIP says so beyond a rate."""
    images, names = material.images, material.names.names
    count, errors = int(mask.sum()), int((~images.correct).sum())
    p = binomial(count, errors, rate)
    if p > SIGNIFICANT:
        return []
    members = np.flatnonzero(mask)
    classes = Counter(names[rival] for rival in images.predicted[members].tolist())
    alike = next(iter(classes)) if len(classes) == 1 else "the same other class"
    title = (
        f"in {count} of the {errors} errors the CLIP sees the labelled class"
        if fault
        else f"in {count} of the {errors} errors the CLIP, too, sees {alike}"
    )
    figures = {
        "count": count,
        "errors": errors,
        "images": len(images),
        "fault": fault,
        "said": dict(classes.most_common()),
        "rate": rate,
        "p": p,
    }
    evidence = images.ids[members].tolist()[:MOST_EVIDENCE]
    cost = beyond_expected(count, len(images), errors * rate)
    subject = "the labelled class" if fault else "another class"
    return [Finding(NAME, title, cost, figures, evidence, (), frozenset(members.tolist()), subject)]


def clause(finding: Finding) -> str:
    """Say what the CLIP sees in the errors."""
    return finding.title


def details(finding: Finding) -> list[str]:
    """Return what the CLIP's word means, and how often it says the same elsewhere."""
    figures = finding.figures
    if figures["fault"]:
        meaning = "The fault is the classifier's: the object is there to be seen."
        elsewhere = f"It says this class of {percent(figures['rate'])} of the other classes' images"
    else:
        meaning = (
            "A wrong label, or an object that is hard to see, rather than a classifier's fault."
        )
        elsewhere = f"It says so of {percent(figures['rate'])} of the correct images"
    lines = [meaning, f"{elsewhere} ({chance(figures['p'])}).", "The classifier says:"]
    classes = list(figures["said"].items())[:_MOST_NAMED]
    return [*lines, *(listed(f"{count}×", name) for name, count in classes)]


DISAGREEMENT: Final = Kind(NAME, "witness", "#c792ea", detect, details, clause, overlay=False)
