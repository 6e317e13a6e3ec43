"""What the kinds of findings are given: a class's material, and what several of them ask of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapcap.audit.labels import Suspects, nearest, neighbour_count, suspects
from mapcap.audit.material import Material
from mapcap.audit.word_rows import WordRow, error_words, pair_words


@dataclass(frozen=True, eq=False)
class AuditInputs:
    """A class's material with its doubted labels and its tested words.

    `words` tell its wrong images from its right ones, `pairs` those taken for a rival from the
    right ones of that rival.
    """

    material: Material
    suspects: Suspects
    words: Sequence[WordRow]
    pairs: Sequence[WordRow]

    @property
    def suspected(self) -> frozenset[int]:
        """Places of the images whose labels are doubted."""
        return frozenset(self.suspects.index.tolist())


def audit_inputs(material: Material) -> AuditInputs:
    """Return what the kinds of findings are given of a class."""
    return AuditInputs(material, _suspects(material), error_words(material), pair_words(material))


def _suspects(material: Material) -> Suspects:
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
