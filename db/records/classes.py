"""Records of classes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class with its figures; accuracy is over the predicted images, with its 95 % interval.

    `correct` is None where these have no labels, and accuracy with it.
    `agreed` counts the images of which the CLIP says what the classifier says; None where the
    CLIP is the classifier.
    """

    id: int
    position: int
    name: str
    label: str
    images: int
    readable: int
    predicted: int
    correct: int | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    mean_true_probability: float | None
    top_wrong_class_id: int | None
    top_wrong_name: str | None
    top_wrong_count: int
    distinct_captions: int
    first_sentence: str | None
    agreed: int | None = None


@dataclass(frozen=True, slots=True)
class TokenRelevance:
    """A token of a class's text and its relevance."""

    token: str
    score: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many images of a class were predicted as `predicted_class_id`, and their share of it."""

    predicted_class_id: int
    predicted_name: str
    count: int
    share: float
