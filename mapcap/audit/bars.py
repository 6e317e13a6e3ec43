"""What a wrong label and an odd image look like in a run, by the run's own permutations."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.true_classes import TrueClasses, true_classes

_FREQUENT: Final = 0.95
_SAMPLE = 2048
"""Photos of the run that are given a random wrong label, and another class's name and photo."""
_PERMUTATIONS = 5


@dataclass(frozen=True, eq=False)
class Bars:
    """What wrong labels and odd images look like.

    `classes` says which class a photo seems to be of; `wrong` (w,), sorted, are its margins under
    random wrong labels. `name` and `pair` are the cosines with a wrong name, and with a photo of
    another class, that one photo in twenty exceeds.
    """

    classes: TrueClasses
    wrong: NDArray[np.float64]
    name: float
    pair: float

    def levels(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) which share of random wrong labels look less wrong; 0 without any."""
        shares: NDArray[np.float64] = np.searchsorted(self.wrong, margins) / max(1, len(self.wrong))
        return shares


def run_bars(
    vectors: NDArray[Any],
    ids: NDArray[np.int64],
    classes: NDArray[np.int64],
    names: NDArray[Any],
    *,
    seed: int,
) -> Bars:
    """Return what wrong labels and odd images look like in a run.

    Wrong labels are the run's own, permuted.

    Args:
        vectors: (m, D) photos of the run, L2-normalised; `ids` (m,).
        classes: (m,) places of their classes in `names`.
        names: (K, D) text embeddings of the class names, L2-normalised.
        seed: of the permutation.
    """
    generator = np.random.default_rng(seed)
    fitted = true_classes(vectors, ids, classes, names)
    chosen = generator.permutation(len(ids))[:_SAMPLE]
    photos, labels = vectors[chosen].astype(np.float32), classes[chosen]
    wrong, with_name, with_photo = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for _ in range(_PERMUTATIONS):
        order = generator.permutation(len(labels))
        apart = np.flatnonzero(labels[order] != labels)
        given, others = photos[apart], order[apart]
        wrong.append(fitted.margins(given, ids[chosen][apart], labels[others])[0])
        named = names[labels[others]].astype(np.float32)
        with_name.append(np.einsum("nd,nd->n", given, named))
        with_photo.append(np.einsum("nd,nd->n", given, photos[others]))
    return Bars(
        fitted,
        np.sort(np.concatenate(wrong)),
        _frequent(np.concatenate(with_name)),
        _frequent(np.concatenate(with_photo)),
    )


def _frequent(cosines: NDArray[Any]) -> float:
    return float(np.quantile(cosines, _FREQUENT)) if len(cosines) else -np.inf
