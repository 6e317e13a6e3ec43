"""What the kinds of findings are given: a class's material, and what several of them ask of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.copies import Copies, copies_of
from mapcap.audit.material import Material
from mapcap.audit.neighbours import nearest, neighbour_count
from mapcap.audit.suspects import Suspects, suspects
from mapcap.audit.word_rows import WordRow, error_words, pair_words


@dataclass(frozen=True, eq=False)
class AuditInputs:
    """A class's material with its doubted labels, copies and tested words.

    `neighbours` (n, k) are the places in the reference of the photos nearest to each image.
    `words` tell the class's wrong images from its right ones, `pairs` those taken for a rival from
    the right ones of that rival.
    """

    material: Material
    neighbours: NDArray[np.int64]
    suspects: Suspects
    copies: Copies
    words: Sequence[WordRow]
    pairs: Sequence[WordRow]

    @property
    def suspected(self) -> frozenset[int]:
        """Places of the images whose labels are doubted: errors on them may be none.

        Those that look wrongly labelled, and copies of another class's photos that are predicted
        as that class.
        """
        return frozenset([*self.suspects.index.tolist(), *self.misplaced.tolist()])

    @property
    def misplaced(self) -> NDArray[np.int64]:
        """Places of the images that are predicted as the class that has a copy of them."""
        places, classes = self.copies.places, self.copies.classes
        drawn = self.material.images.predicted[places] == classes
        return np.unique(places[drawn & (classes != self.material.class_id)])


def audit_inputs(material: Material) -> AuditInputs:
    """Return what the kinds of findings are given of a class."""
    images, reference = material.images, material.reference
    _, sizes = np.unique(reference.classes, return_counts=True)
    k = neighbour_count(sizes)
    places = nearest(images.embeddings, images.ids, reference.embeddings, reference.ids, k)
    return AuditInputs(
        material,
        places,
        suspects(
            images.embeddings,
            images.ids,
            int(material.names.places(np.array([material.class_id]))[0]),
            images.correct,
            material.bars,
        ),
        copies_of(images, reference),
        error_words(material),
        pair_words(material),
    )
