"""The audit of one class: every test, and what they amount to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit import confusions, reasons, shortcuts
from mapcap.audit.backgrounds import background_properties, find_background
from mapcap.audit.calibration import (
    Likeness,
    expected_calibration_error,
    likeness,
    reliability,
)
from mapcap.audit.findings import Found, discounted, ranked
from mapcap.audit.labels import Suspects, nearest, neighbour_count, suspects
from mapcap.audit.lines import Clause, Facts, clauses
from mapcap.audit.marks import find_mark, place_histogram
from mapcap.audit.material import Images, Material
from mapcap.audit.slices import Slice, find_slices
from mapcap.audit.word_rows import WordRow, error_words, pair_words


@dataclass(frozen=True)
class ClassReport:
    """What the audit of a class found; `figures` are its calibration and where errors look."""

    line: str
    clauses: Sequence[Clause]
    figures: Mapping[str, Any]
    words: Sequence[WordRow]
    findings: Sequence[Found]


def audit_class(material: Material) -> ClassReport:
    """Return why a class fails, as far as figures can say it."""
    doubted = _doubted(material)
    suspected = frozenset(doubted.index.tolist())
    rows, pairs = error_words(material), pair_words(material)
    shared = _shared(material)
    explained = [
        *reasons.words(material, rows),
        *reasons.slices(material, _slices(material)),
    ]
    found = ranked(
        [
            *confusions.confusions(material, suspected),
            *confusions.mistaken_others(material),
            *discounted(explained, suspected),
            *reasons.labels(material, doubted),
            *shared,
        ]
    )
    figures = _figures(material)
    facts = Facts(
        name=material.names.names[material.class_id],
        images=len(material.images),
        right=int(material.images.correct.sum()),
        classes=len(material.names.ids),
        figures=figures,
        findings=found,
        words=rows,
        pairs=pairs,
    )
    said = clauses(facts)
    line = f"{facts.name}: " + "; ".join(clause.text for clause in said)
    return ClassReport(line, said, figures, [*rows, *pairs], found)


def _doubted(material: Material) -> Suspects:
    images, reference, names = material.images, material.reference, material.names
    _, sizes = np.unique(reference.classes, return_counts=True)
    k = neighbour_count(sizes)
    places = nearest(images.embeddings, images.ids, reference.embeddings, reference.ids, k)
    return suspects(
        material.class_id,
        images.predicted,
        images.confidence,
        reference.classes[places],
        names.self_confidence,
        {said: names.mixed(material.class_id, said) for said in set(images.predicted.tolist())},
    )


def _slices(material: Material) -> list[Slice]:
    regions = material.regions
    return find_slices(
        regions.embeddings,
        regions.owners,
        regions.captions,
        ~material.images.correct,
        seed=material.seed,
    )


def _shared(material: Material) -> list[Found]:
    """Return what most pictures of the class share: a background, a mark."""
    images, reference = material.images, material.reference
    own = reference.classes == material.class_id
    seen = find_background(
        background_properties(images.pictures, images.grids), reference.backgrounds[~own]
    )
    elsewhere = reference.histogram - place_histogram(reference.pictures[own])
    mark = find_mark(images.pictures, reference.pictures[~own], elsewhere)
    return [*shortcuts.background(material, seen), *shortcuts.mark(material, mark)]


def _figures(material: Material) -> dict[str, Any]:
    images = material.images
    bins = reliability(images.confidence, images.correct)
    some = len(images) > 0
    return {
        "images": len(images),
        "accuracy": float(images.correct.mean()) if some else None,
        "ece": expected_calibration_error(bins) if some else None,
        "mean_confidence": float(images.confidence.mean()) if some else None,
        "mean_margin": float(images.margins.mean()) if some else None,
        "bins": [asdict(found) for found in bins],
        **_likenesses(material, images),
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


def _named(name: str, found: Likeness | None) -> dict[str, float | None]:
    return {
        f"{name}_cosine": None if found is None else found.cosine,
        f"{name}_p": None if found is None else found.p,
    }
