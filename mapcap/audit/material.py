"""What the audit of a class looks at: its images and regions, and a sample of the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.bars import Bars, run_bars
from mapcap.audit.concepts import ConceptBank
from mapcap.audit.hashing import hashes

EmbedWords = Callable[[Sequence[str]], NDArray[np.float32]]
"""Words to their text embeddings (W, D), L2-normalised."""

PathsOf = Callable[[Sequence[int]], Mapping[int, str]]
"""Ids of images of the run to their paths in the data set."""
NO_WITNESS = -1
"""In place of a class id where the CLIP itself is the classifier."""

PICTURE_SIDE = 32
"""Pictures are looked at this many pixels wide and high."""


@dataclass(frozen=True, eq=False)
class Images:
    """The predicted images of a class, all in the same order.

    `predicted` (n,) class ids; `confidence` (n,) their probabilities; `margins` (n,) of the true
    logit; both NaN where they are not known; `witness` (n,) ids of the classes that the CLIP says
    where it is not the classifier, else `NO_WITNESS`; `words` as `phrases` gives them;
    `embeddings` (n, D) L2-normalised; `grids` (n, gh, gw) relevance for the true class; `pictures`
    (n, side, side, 3) uint8, what the network saw; `grounds` (n, side, side) which pixels of them
    are background; `attributes` (n, A) as `attribute_row` gives them.
    """

    ids: NDArray[np.int64]
    predicted: NDArray[np.int64]
    correct: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    margins: NDArray[np.float64]
    witness: NDArray[np.int64]
    words: Sequence[frozenset[str]]
    embeddings: NDArray[np.float16]
    grids: NDArray[np.float32]
    pictures: NDArray[np.uint8]
    attributes: NDArray[np.float64]
    grounds: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of a class: `owners` (R,) are places in its `Images`; `embeddings` (R, D)."""

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]
    embeddings: NDArray[np.float16]
    captions: Sequence[str]

    def of(self, places: NDArray[np.int64]) -> list[int]:
        """Return the numbers of the regions of some images, in the order of these."""
        wanted = {int(place): rank for rank, place in enumerate(places)}
        chosen = [i for i, owner in enumerate(self.owners.tolist()) if owner in wanted]
        return sorted(chosen, key=lambda i: wanted[int(self.owners[i])])


@dataclass(frozen=True, eq=False)
class Rival:
    """The right images of the class that some images were taken for."""

    words: Sequence[frozenset[str]]
    embeddings: NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Reference:
    """A sample of the run's images that every class is held against; small runs are in it whole.

    `classes` (m,) ids; `predicted` (m,) ids, with `confidence` (m,); `witness` (m,) as in
    `Images`; `embeddings` (m, D);
    `backgrounds` (m, 5); `pictures` (m, side, side, 3); `histogram` of all the pictures, as
    `place_histogram` gives it; `phrases` counts the images that hold each word; `attributes`
    (m, A). `same_files` (k, 3) is of the whole run: id, class and a number, the same for files of
    equal content, for every image that has such a copy.
    """

    ids: NDArray[np.int64]
    classes: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    witness: NDArray[np.int64]
    embeddings: NDArray[np.float16]
    backgrounds: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    histogram: NDArray[np.int64]
    phrases: Mapping[str, int]
    attributes: NDArray[np.float64]
    same_files: NDArray[np.int64]

    @cached_property
    def hashes(self) -> NDArray[np.float32]:
        """Perceptual hashes (m, 63) of the pictures, computed once for all classes."""
        return hashes(self.pictures)


@dataclass(frozen=True, eq=False)
class ClassNames:
    """The classes of a run in the order of the logits, with their text embeddings (K, D).

    `taken_for` counts the images of each class (first id) taken for
    another (second id).
    """

    ids: Sequence[int]
    names: Mapping[int, str]
    embeddings: NDArray[np.float16]
    taken_for: Mapping[tuple[int, int], int]

    def places(self, class_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of classes, given by id (n,), in `ids` and `embeddings`."""
        place_of = {class_id: place for place, class_id in enumerate(self.ids)}
        return np.array([place_of[number] for number in class_ids.tolist()], np.int64)

    def nearness(self, class_id: int, other: int) -> tuple[float, int]:
        """Return the cosine of two names, and the other's rank among the names nearest to one."""
        places = {class_id: place for place, class_id in enumerate(self.ids)}
        first, second = places[class_id], places[other]
        cosines = (self.embeddings @ self.embeddings[first].astype(np.float32)).astype(np.float64)
        closer = int((np.delete(cosines, [first, second]) > cosines[second]).sum())
        return float(cosines[second]), closer + 1


@dataclass(frozen=True, eq=False)
class Material:
    """All that the audit of one class needs."""

    class_id: int
    images: Images
    regions: Regions
    """Regions of the maps for the true class."""
    contrasts: Regions
    """Regions of the maps of predicted against true class, of wrong images."""
    rivals: Mapping[int, Rival]
    """By the id of the classes that the images were most taken for."""
    reference: Reference
    names: ClassNames
    bars: Bars
    """What a wrong label and an odd image look like in the run."""
    embed: EmbedWords
    concepts: ConceptBank
    seed: int
    paths: PathsOf
    labelled: bool = True
    """Whether the class is what a person says; otherwise it is what its images are predicted as."""


def mean_of(values: NDArray[np.float64]) -> float | None:
    """Return the mean of values (n,), None where there are none or one is not known."""
    return float(values.mean()) if len(values) and not np.isnan(values).any() else None


def rate(wrong: NDArray[np.bool_]) -> float:
    """Return the share of wrong images among some (n,), 0 where there are none."""
    return float(wrong.mean()) if len(wrong) else 0.0


def places(mask: NDArray[Any], order: NDArray[Any]) -> NDArray[np.int64]:
    """Return where a mask (n,) holds, in ascending order of the values (n,)."""
    indices = np.flatnonzero(mask)
    return indices[np.argsort(order[indices], kind="stable")]


def wrong_first(images: Images, concerned: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of images concerned (n,): misclassified ones first, by their margins."""
    sides = (~images.correct, images.correct)
    return np.concatenate([places(concerned & side, images.margins) for side in sides])


def bars_of(reference: Reference, names: ClassNames, *, seed: int) -> Bars:
    """Return what a wrong label and an odd image look like in a run."""
    return run_bars(
        reference.embeddings,
        reference.ids,
        names.places(reference.classes),
        names.embeddings,
        seed=seed,
    )
