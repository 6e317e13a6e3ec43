"""What the store hands out: frozen records, never ORM objects.

Ids are the store's own; `class_id` refers to `ClassName.id`, not to the class's position in the
logits. Boxes are x0, y0, x1, y1 in pixels of the original image.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Role = Literal["true", "predicted", "contrast"]
RunStatus = Literal["running", "interrupted", "failed", "done"]
StageStatus = Literal["running", "done"]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """One configuration applied to one dataset."""

    id: int
    config_hash: str
    config: dict[str, Any]
    preset: str
    dataset: str
    networks: dict[str, Any]
    versions: dict[str, Any]
    host: str
    device: str
    started: datetime
    finished: datetime | None
    status: RunStatus
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one stage of a run has come; `seconds` add up over all its sessions."""

    name: str
    position: int
    done: int
    total: int
    seconds: float
    items_per_second: float | None
    status: StageStatus


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How much a run holds; images, readable, predicted and correct are as last aggregated."""

    classes: int
    images: int
    readable: int
    predicted: int
    correct: int
    regions: int
    captions: int


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class with its figures; accuracy is over the predicted images, with its 95 % interval."""

    id: int
    position: int
    name: str
    label: str
    images: int
    readable: int
    predicted: int
    correct: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    mean_true_probability: float | None
    top_wrong_class_id: int | None
    top_wrong_name: str | None
    top_wrong_count: int
    distinct_captions: int
    first_sentence: str | None


@dataclass(frozen=True, slots=True)
class TokenRelevance:
    """A token of a class's text and its relevance."""

    token: str
    score: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many images of a class were taken for `predicted_class_id`, and their share of it."""

    predicted_class_id: int
    predicted_name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Image:
    """An image with its prediction; the last fields are None until it is predicted."""

    id: int
    class_id: int
    class_name: str
    path: str
    content_hash: str | None
    width: int | None
    height: int | None
    file_size: int | None
    box: Box | None
    error: str | None
    predicted_class_id: int | None
    predicted_name: str | None
    correct: bool | None
    true_probability: float | None
    true_rank: int | None
    margin: float | None


@dataclass(frozen=True, slots=True)
class ImageTask:
    """What a stage needs to work on an image; positions are indices into the logits."""

    id: int
    path: str
    width: int | None
    height: int | None
    class_id: int
    class_position: int
    predicted_class_id: int | None
    predicted_position: int | None


@dataclass(frozen=True, slots=True)
class TopClass:
    """One of an image's best classes; rank 1 is the predicted one."""

    rank: int
    class_id: int
    name: str
    probability: float
    logit: float


@dataclass(frozen=True, slots=True)
class Relevance:
    """A relevance grid (rows, columns) divided by `raw_max`; `raw_mass` is the sum of raw scores.

    `region_count` is None until regions have been looked for.
    """

    id: int
    image_id: int
    role: Role
    target_class_id: int
    target_name: str
    grid: NDArray[np.float16]
    raw_max: float
    raw_mass: float
    region_count: int | None


@dataclass(frozen=True, slots=True)
class RegionTask:
    """What a stage needs to embed or caption a region: where it is, and in which picture."""

    id: int
    image_id: int
    path: str
    role: Role
    rank: int
    box: Box
    patch_mask: NDArray[np.bool_]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Region:
    """A region with its image, class and caption (None until it is captioned).

    `patch_mask` is (rows, columns) on the patch grid, `mask` (height, width) at the size of the
    model's view.
    """

    id: int
    image_id: int
    path: str
    class_id: int
    class_name: str
    correct: bool | None
    role: Role
    rank: int
    box: Box
    area_share: float
    mass_share: float
    patch_mask: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    caption_id: int | None
    caption: str | None
    log_probability: float | None
    cosine: float | None


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings: `ids` (n,), `vectors` (n, D) L2-normalised float16, `norms` (n,) before that."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float16]
    norms: NDArray[np.float32]

    def features(self) -> NDArray[np.float32]:
        """Return the features as the network gave them, (n, D), to float16's precision."""
        features: NDArray[np.float32] = self.vectors.astype(np.float32) * self.norms[:, None]
        return features


@dataclass(frozen=True, slots=True)
class ClassCaption:
    """A distinct caption of a class: its regions of role `true`, its right and wrong images."""

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
    """A caption of images taken for one other class: regions in those, and in the right ones."""

    caption_id: int
    text: str
    wrong: int
    right: int


@dataclass(frozen=True, slots=True)
class Pmi:
    """The stored matrix of a class: `matrix[i, j]` as written, i the context, over `texts`.

    `distinct_total` is the number of distinct captions before `max_sentences` cut them.
    """

    class_id: int
    caption_ids: NDArray[np.int64]
    texts: tuple[str, ...]
    counts: NDArray[np.int64]
    matrix: NDArray[np.floating[Any]]
    surprisal: NDArray[np.float32]
    relevance: NDArray[np.float32]
    distinct_total: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A caption at its place in a summary, with its scores and its counts in the class."""

    position: int
    caption_id: int
    text: str
    relevance: float
    penalty: float
    score: float
    count: int
    right: int
    wrong: int


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
