"""What the store takes in: one frozen record per row of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.records import Box, ErrorWord, Role


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What a run is before it starts; the same `config_hash` is the same run."""

    config_hash: str
    config: Mapping[str, Any]
    preset: str
    dataset: str
    networks: Mapping[str, Any]
    versions: Mapping[str, Any]
    host: str
    device: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a stage: waiting for what is read, at work, waiting for what is stored."""

    reading: float = 0.0
    computing: float = 0.0
    writing: float = 0.0

    @property
    def total(self) -> float:
        """All of them."""
        return self.reading + self.computing + self.writing


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class: `position` is its index in the logits, `label` what the dataset calls it."""

    position: int
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class NewClassText:
    """The text side of a class: embedding (D,), L2-normalised, and (token, relevance) pairs."""

    class_id: int
    embedding: NDArray[np.floating[Any]]
    tokens: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class NewImage:
    """A file of the dataset; an unreadable one carries its `error` and no thumbnail.

    `file_size` in bytes, `modified` in nanoseconds; `attributes` are figures of its pixels by name.
    """

    path: str
    class_id: int
    content_hash: str | None = None
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    box: Box | None = None
    thumbnail: bytes | None = None
    error: str | None = None
    modified: int | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """What the model says of an image.

    `top` holds (class_id, probability, logit), best first; the first is the predicted class.
    `margin` = true logit - best other logit. What is not known is None. `feature`
    (D,) is the image's embedding as the network gives it; the store normalises it and keeps the
    norm.
    """

    image_id: int
    top: Sequence[tuple[int, float | None, float | None]]
    true_probability: float | None
    true_rank: int | None
    margin: float | None
    feature: NDArray[np.floating[Any]] | None = None


@dataclass(frozen=True, slots=True)
class NewWitness:
    """What the CLIP says of an image that another classifier predicts."""

    image_id: int
    predicted_class_id: int
    probability: float
    true_probability: float


@dataclass(frozen=True, slots=True)
class NewRelevance:
    """A raw relevance grid (rows, columns), not scaled: the store keeps its maximum and mass."""

    image_id: int
    role: Role
    target_class_id: int
    grid: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class NewRegion:
    """A region: box in original pixels, shares of image area and of relevance mass, masks."""

    box: Box
    area_share: float
    mass_share: float
    patch_mask: NDArray[np.bool_]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NewRegions:
    """The regions of one relevance map, best first; none is an answer too."""

    relevance_id: int
    regions: Sequence[NewRegion]


@dataclass(frozen=True, slots=True)
class NewCaption:
    """The caption of a region; `log_probability` is the mean over its tokens."""

    region_id: int
    text: str
    token_count: int
    log_probability: float
    cosine: float | None = None
    is_empty: bool = False
    artefact: bool | None = None


@dataclass(frozen=True, slots=True)
class NewPmi:
    """A class's matrix (n, n) over n captions; counts, surprisal and relevance are (n,)."""

    class_id: int
    caption_ids: NDArray[np.int64]
    counts: NDArray[np.int64]
    matrix: NDArray[np.floating[Any]]
    surprisal: NDArray[np.floating[Any]]
    relevance: NDArray[np.floating[Any]]
    distinct_total: int


@dataclass(frozen=True, slots=True)
class NewSentence:
    """A chosen caption with the scores that chose it; its place in the list is its position."""

    caption_id: int
    relevance: float
    penalty: float
    score: float


@dataclass(frozen=True, slots=True)
class NewSummary:
    """A selection of at most k sentences, in the order of choice."""

    class_id: int
    k: int
    redundancy: float
    sentences: Sequence[NewSentence]


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A finding with the images and regions that are its evidence, the most telling first.

    `plain`, `colour` and `overlay` are its kind's, `details` its printed lines; `subject` is what
    it is about, without counts, empty where its images are that.
    """

    kind: str
    title: str
    score: float
    figures: Mapping[str, Any]
    image_ids: Sequence[int] = ()
    region_ids: Sequence[int] = ()
    plain: str = ""
    colour: str = ""
    overlay: bool = True
    details: Sequence[str] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class NewAudit:
    """All that the audit says of a class; the findings in their order, the first first.

    `version` is that of the kinds of findings.
    """

    class_id: int
    line: str
    clauses: Sequence[Mapping[str, Any]]
    figures: Mapping[str, Any]
    words: Sequence[ErrorWord] = ()
    findings: Sequence[NewFinding] = ()
    version: int = 0
