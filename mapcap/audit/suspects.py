"""Possible label errors, and images that resemble no class, by the geometry of the embeddings."""

from dataclasses import dataclass
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.bars import Bars

_SURE: Final = log(19)
"""Least logit of the predicted class over the label: 95 % where there were only these two."""
_VOTES: Final = 0.4
"""Least share of the neighbours of either class that have the predicted one's label."""
_KNOWN: Final = 0.4
"""Accuracy of a class's undoubted images up to which the model does not know it: no witness.

On the 25 classes, a share of six pairs' labels exchanged (two seeds): of the doubted labels are
wrong, and of the wrong ones doubted: at 20 % 0.87 and 0.50, at 50 % 0.94 and 0.46.
"""


@dataclass(frozen=True, eq=False)
class Suspects:
    """Images whose label is doubted, the most doubtful first.

    `index` (s,) are places in the class; `predicted` (s,) their predicted classes; `margin`
    (s,) by how much nearer they are to that class's name, in cosine; `level` (s,) the share of
    random wrong labels that look less wrong.
    """

    index: NDArray[np.int64]
    predicted: NDArray[np.int64]
    margin: NDArray[np.float64]
    level: NDArray[np.float64]


def suspects(
    own_class: int,
    predicted: NDArray[np.int64],
    logits: NDArray[np.float64],
    leads: NDArray[np.float64],
    around: NDArray[np.float64],
    for_it: NDArray[np.float64],
    bars: Bars,
) -> Suspects:
    """Return the images of a class that look wrongly labelled.

    Three witnesses must agree. The photo and its surroundings: that the name of the class it is
    predicted as is nearer than that of its label, by as much as under a random wrong label. And
    the labels of its neighbours: where a whole class lies nearer to another name, it is the name
    that fits badly. Of two classes that mix, neither name is far; nor is a photo doubted that the
    model could take for either (odds below 19 to 1). None is doubted in a class that the model
    does not know: of the images left over, more than two in five must be predicted correctly.

    Args:
        own_class: the class's id.
        predicted: (n,) ids of the classes that the images are predicted as.
        logits: (n,) margins of the true logit over the largest other.
        leads: (n,) how much nearer each is to that class's name, as `geometry` gives it.
        around: (n,) the same of its surroundings.
        for_it: (n,) the neighbours' votes for that class, as `votes` gives them.
        bars: of the run.
    """
    levels = bars.levels(leads, around)
    sure = (predicted != own_class) & (logits <= -_SURE)
    agreed = sure & (for_it >= _VOTES)
    agreed &= levels >= bars.least(len(predicted))
    others = predicted[~agreed]
    reliable = len(others) > 0 and (others == own_class).mean() > _KNOWN
    doubted = np.flatnonzero(agreed & reliable)
    order = doubted[np.lexsort((doubted, -leads[doubted], -levels[doubted]))]
    return Suspects(order, predicted[order], leads[order], levels[order])


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
