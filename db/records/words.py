"""Records of captions and what is chosen from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before numpy is loaded.
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClassCaption:
    """A distinct caption of a class: its regions of role `true`, and images of either outcome."""

    caption_id: int
    text: str
    count: int
    right: int
    wrong: int
    is_empty: bool
    artefact: bool | None
    selected: bool


@dataclass(frozen=True, slots=True)
class CaptionHit:
    """A caption that a search found; `spans` are the (start, end) of the words in `text`."""

    caption_id: int
    text: str
    spans: tuple[tuple[int, int], ...]
    count: int
    classes: int


@dataclass(frozen=True, slots=True)
class CaptionContrast:
    """A caption of images predicted as another class: regions in those, and in the correct ones."""

    caption_id: int
    text: str
    wrong: int
    right: int


@dataclass(frozen=True, slots=True)
class Pmi:
    """The stored matrix of a class: `matrix[i, j]` as written, i the context, over `texts`.

    `distinct_total` is the number of distinct captions before `max_sentences` cut them. `right` and
    `wrong` (n,) count the images of each caption, `classes` (n,) the classes of the run that have
    it, of `class_total`. `config` is the run's, as it is stored.
    """

    class_id: int
    caption_ids: NDArray[np.int64]
    texts: tuple[str, ...]
    counts: NDArray[np.int64]
    matrix: NDArray[np.floating[Any]]
    surprisal: NDArray[np.float32]
    relevance: NDArray[np.float32]
    distinct_total: int
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    classes: NDArray[np.int64]
    class_total: int
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A caption at its place in a summary, with its scores and its counts in the class.

    `caption_ids` are those it stands for, its own among them; the counts are theirs together:
    regions, correct and misclassified images.
    """

    position: int
    caption_id: int
    text: str
    relevance: float
    penalty: float
    score: float
    count: int
    right: int
    wrong: int
    caption_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The selection for a class, a length and a redundancy, in the order of choice."""

    id: int
    class_id: int
    k: int
    redundancy: float
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class WordScore:
    """A word of a class with its score and the number of captions that hold it."""

    word: str
    score: float
    count: int
