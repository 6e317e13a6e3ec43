"""The audit of one class: every test, and what they amount to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.calibration import (
    Likeness,
    calibration_level,
    expected_calibration_error,
    likeness,
    reliability,
)
from mapcap.audit.facts import Clause, Facts
from mapcap.audit.findings import Finding, ranked
from mapcap.audit.inputs import audit_inputs
from mapcap.audit.kinds import KINDS
from mapcap.audit.line import clauses
from mapcap.audit.material import Images, Material, mean_of
from mapcap.audit.word_rows import WordRow


@dataclass(frozen=True)
class ClassReport:
    """What the audit of a class found, in a line and in figures.

    `figures` are its calibration where it is predicted, and where its errors look.
    """

    line: str
    clauses: Sequence[Clause]
    figures: Mapping[str, Any]
    words: Sequence[WordRow]
    findings: Sequence[Finding]
    labelled: bool = True


def audit_class(material: Material) -> ClassReport:
    """Return why a class fails, as far as figures can say it."""
    inputs = audit_inputs(material)
    kinds = [kind for kind in KINDS.values() if material.labelled or not kind.of_errors]
    findings = ranked([finding for kind in kinds for finding in kind.detect(inputs)])
    figures = _figures(material)
    facts = Facts(
        name=material.names.names[material.class_id],
        images=len(material.images),
        right=int(material.images.correct.sum()),
        figures=figures,
        findings=findings,
        words=inputs.words,
        pairs=inputs.pairs,
        labelled=material.labelled,
    )
    line_clauses = clauses(facts)
    line = f"{facts.name}: " + "; ".join(clause.text for clause in line_clauses)
    return ClassReport(
        line, line_clauses, figures, [*inputs.words, *inputs.pairs], findings, material.labelled
    )


def _figures(material: Material) -> dict[str, Any]:
    images = material.images
    return {
        "images": len(images),
        "mean_margin": mean_of(images.margins),
        **_calibration(material),
        **_likenesses(material, images),
    }


def _calibration(material: Material) -> dict[str, Any]:
    """Return confidence against accuracy over the sample's images predicted as the class.

    Given the true class instead, the gap would only restate the accuracy: a perfectly calibrated
    model is sure of its errors as well. Where a probability is not known, or no label, there is
    none of it.
    """
    reference = material.reference
    chosen = reference.predicted == material.class_id
    confidence = reference.confidence[chosen]
    correct = reference.classes[chosen] == material.class_id
    mean = mean_of(confidence)
    labelled = material.labelled
    bins = [] if mean is None or not labelled else reliability(confidence, correct)
    return {
        "predicted_images": int(chosen.sum()),
        "accuracy": float(correct.mean()) if labelled and chosen.any() else None,
        "mean_confidence": mean,
        "ece": expected_calibration_error(bins) if bins else None,
        "ece_level": calibration_level(confidence, seed=material.seed) if bins else None,
        "bins": [asdict(part) for part in bins],
    }


def _likenesses(material: Material, images: Images) -> dict[str, float | None]:
    """Return how alike wrong and right images are in where they look, and at what."""
    wrong = ~images.correct
    looked = np.flatnonzero(images.grids.any((1, 2)))
    where = likeness(images.grids[looked], wrong[looked], seed=material.seed)
    regions = material.regions
    owners = np.unique(regions.owners)
    means = _per_image(regions.embeddings, regions.owners, owners)
    what = likeness(means, wrong[owners], seed=material.seed)
    return {**_named("maps", where), **_named("regions", what)}


def _per_image(
    vectors: NDArray[Any], owners: NDArray[np.int64], images: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean of each image's vectors: (images, D)."""
    sums = np.zeros((len(images), vectors.shape[1]))
    np.add.at(sums, np.searchsorted(images, owners), vectors.astype(np.float64))
    counts = np.bincount(np.searchsorted(images, owners), minlength=len(images))
    result: NDArray[np.float64] = sums / np.maximum(counts, 1)[:, None]
    return result


def _named(name: str, measure: Likeness | None) -> dict[str, float | None]:
    keys = [each.name for each in fields(Likeness)]
    return {f"{name}_{key}": None if measure is None else getattr(measure, key) for key in keys}
