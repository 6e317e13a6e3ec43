"""Possible label errors, and images that resemble no class."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.bars import Bars

_MOST: Final = 0.6
"""Share of a class's images that are doubted at most: of more, it is the name that fits badly."""
_KNOWN: Final = 0.4
"""Accuracy of a class's undoubted images up to which the model does not know it: no witness."""


@dataclass(frozen=True, eq=False)
class Suspects:
    """Images whose label is doubted, the most doubtful first.

    `index` (s,) are places in the class; `seems` (s,) places, among the run's classes, of the class
    that each seems to be of; `margin` (s,) the logarithm of the odds of that class against the
    label; `level` (s,) the share of random wrong labels that look less wrong.
    """

    index: NDArray[np.int64]
    seems: NDArray[np.int64]
    margin: NDArray[np.float64]
    level: NDArray[np.float64]


def suspects(
    vectors: NDArray[Any],
    ids: NDArray[np.int64],
    own_class: int,
    correct: NDArray[np.bool_],
    bars: Bars,
) -> Suspects:
    """Return the images of a class that look wrongly labelled.

    They are misclassified, and another class is more likely than that of the label, by the photos
    that seem to be of each, by both names and by how often labels of this class are wrong. None is
    doubted where most would be, for then it is the name that fits badly, and none in a class that
    the model does not know: of the images left over, more than two in five must be predicted
    correctly.

    Args:
        vectors: (n, D) photos of the class, L2-normalised; `ids` (n,) theirs.
        own_class: place of the class among those of the run.
        correct: (n,) which are predicted as their class.
        bars: of the run.
    """
    margins, seems = bars.classes.margins(vectors, ids, np.full(len(ids), own_class))
    doubted = ~correct & (margins > 0)
    left = correct[~doubted]
    if not len(left) or doubted.mean() > _MOST or left.mean() <= _KNOWN:
        doubted[:] = False
    places = np.flatnonzero(doubted)
    order = places[np.lexsort((places, -margins[places]))]
    return Suspects(order, seems[order], margins[order], bars.levels(margins[order]))


def odd_images(
    vectors: NDArray[Any],
    neighbours: NDArray[Any],
    names: NDArray[Any],
    bars: Bars,
) -> NDArray[np.int64]:
    """Return the places of the images that resemble no class, the oddest first.

    Such an image is no nearer to any name than one photo in twenty is to a wrong one, and no
    nearer to its neighbours, on average, than one in twenty is to a photo of another class.

    Args:
        vectors: (n, D) photos of a class, L2-normalised.
        neighbours: (n, D) the mean of those nearest to each.
        names: (K, D) text embeddings of all class names, L2-normalised.
        bars: of the run.
    """
    photos = vectors.astype(np.float32)
    best = (photos @ names.astype(np.float32).T).max(1, initial=-1.0)
    near = np.einsum("nd,nd->n", photos, neighbours.astype(np.float32))
    odd = np.flatnonzero((best <= bars.name) & (near <= bars.pair))
    return odd[np.argsort(best[odd], kind="stable")]
