"""What a wrong label and an odd image look like in a run, by the run's own permutations."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.labels import geometry, nearest, neighbour_count

_LEAST: Final = 0.3
"""Least share of random wrong labels that must look less wrong than a doubted one.

On the poster's 25 classes, where a fifth of two classes' labels are exchanged, at 0.2, 0.3 and 0.4
of the doubted labels 80, 90 and 92 % are wrong, and of the wrong ones 75, 64 and 56 % are doubted.
"""
_BY_CHANCE: Final = 0.355
"""Images that reach a bar by chance, on average, where 5 % of classes have two (Poisson)."""
_FREQUENT: Final = 0.95
_SAMPLE = 2048
"""Photos of the run that are looked at."""
_PERMUTATIONS = 20


@dataclass(frozen=True, eq=False)
class Bars:
    """What wrong labels and odd images look like.

    `leads` and `around` (w,), sorted, are the margins of photos and of their surroundings under
    random wrong labels, as `geometry` gives them. `chance` (c,), sorted, are the levels that photos
    reach where predictions are permuted within classes. `name` and `pair` are the cosines
    with a wrong name, and with a photo of another class, that one photo in twenty exceeds.
    """

    leads: NDArray[np.float64]
    around: NDArray[np.float64]
    chance: NDArray[np.float64]
    name: float
    pair: float

    def levels(self, leads: NDArray[Any], around: NDArray[Any]) -> NDArray[np.float64]:
        """Return (n,) which share of random wrong labels look less wrong, by both witnesses."""
        if not len(self.leads):
            return np.zeros(len(leads))
        first = np.searchsorted(self.leads, leads) / len(self.leads)
        second = np.searchsorted(self.around, around) / len(self.around)
        lower: NDArray[np.float64] = np.minimum(first, second)
        return lower

    def least(self, images: int) -> float:
        """Return the level from which labels of a class of so many images are doubted.

        It is so high that by chance at most 5 % of classes have two images that reach it.
        """
        if not len(self.chance) or not images:
            return _LEAST
        allowed = float(np.quantile(self.chance, max(0.0, 1 - _BY_CHANCE / images)))
        return max(_LEAST, float(np.nextafter(allowed, np.inf)))


def run_bars(
    vectors: NDArray[Any],
    ids: NDArray[np.int64],
    classes: NDArray[np.int64],
    predicted: NDArray[np.int64],
    names: NDArray[Any],
    *,
    seed: int,
) -> Bars:
    """Return what wrong labels and odd images look like in a run.

    Wrong labels are the run's own, permuted. Chance is how far a photo and its surroundings still
    agree where predictions are permuted within the classes, of those in which nothing looks wrong.

    Args:
        vectors: (m, D) photos of the run, L2-normalised; `ids` (m,).
        classes: (m,) places of their classes in `names`.
        predicted: (m,) places of the classes that they are predicted as.
        names: (K, D) text embeddings of the class names, L2-normalised.
        seed: of the permutations.
    """
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(ids))[:_SAMPLE]
    _, sizes = np.unique(classes, return_counts=True)
    near = nearest(vectors[chosen], ids[chosen], vectors, ids, neighbour_count(sizes))
    labels, predictions = classes[chosen], predicted[chosen]

    def margins(
        photos: NDArray[np.int64],
        around: NDArray[np.int64],
        toward: NDArray[np.int64],
        away: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        # The photo itself, and the surroundings that may be another's.
        return geometry(vectors[chosen[photos]], vectors, near[around], names[toward], names[away])

    wrong: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for _ in range(_PERMUTATIONS):
        label = generator.permutation(labels)
        other = np.flatnonzero((label != labels) & (label != predictions))
        wrong.append(margins(other, other, predictions[other], label[other]))
    bars = Bars(
        np.sort(np.concatenate([first for first, _ in wrong])),
        np.sort(np.concatenate([second for _, second in wrong])),
        np.empty(0),
        *_foreign(vectors[chosen], labels, names, generator),
    )
    everything = np.arange(len(labels))

    def levels(given: NDArray[np.int64]) -> NDArray[np.float64]:
        shares = bars.levels(*margins(given, everything, predictions[given], labels))
        return np.where(predictions[given] == labels, 0.0, shares)

    # What is wrong in a class is not chance: only classes where nothing looks wrong tell of it.
    clean = ~np.isin(labels, labels[levels(everything) >= _LEAST])
    chance = [levels(_within(labels, generator))[clean] for _ in range(_PERMUTATIONS)]
    return replace(bars, chance=np.sort(np.concatenate(chance)))


def _foreign(
    photos: NDArray[Any],
    classes: NDArray[np.int64],
    names: NDArray[Any],
    generator: np.random.Generator,
) -> tuple[float, float]:
    """Return the cosines with a wrong name, and with a photo of another class, rarely exceeded."""
    order = generator.permutation(len(classes))
    apart = np.flatnonzero(classes[order] != classes)
    if not len(apart):
        return -np.inf, -np.inf
    given, others = photos[apart].astype(np.float32), order[apart]
    with_name = np.einsum("nd,nd->n", given, names[classes[others]].astype(np.float32))
    with_photo = np.einsum("nd,nd->n", given, photos[others].astype(np.float32))
    return float(np.quantile(with_name, _FREQUENT)), float(np.quantile(with_photo, _FREQUENT))


def _within(classes: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return places (n,) permuted within each class."""
    order = np.argsort(classes, kind="stable")
    # Both orders go through the classes one after another; the second at random within each.
    random = np.lexsort((generator.random(len(classes)), classes))
    places = np.empty(len(classes), np.int64)
    places[order] = random
    return places
