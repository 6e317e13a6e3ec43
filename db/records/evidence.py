"""Records that the audit reads by the thousand: without pictures, paths and masks."""

from dataclasses import dataclass
from typing import Any

from db.records.pictures import Box


@dataclass(frozen=True, slots=True)
class PredictedImage:
    """A predicted image; `confidence` is the probability of the predicted class.

    `confidence` and `margin` are None where a file of predictions lacks them; `witness_class_id` is
    what the CLIP says where it is not the classifier. `attributes` are figures of the pixels by
    name, as the file has them: they may be anything.
    """

    id: int
    predicted_class_id: int
    correct: bool
    confidence: float | None
    margin: float | None
    width: int
    height: int
    file_size: int | None
    box: Box | None
    attributes: Any
    witness_class_id: int | None = None


@dataclass(frozen=True, slots=True)
class RegionWords:
    """A region and its caption."""

    id: int
    image_id: int
    caption: str


@dataclass(frozen=True, slots=True)
class Paired:
    """An image of two runs: its class in the later one, and whether each run was right."""

    class_id: int
    before: bool
    now: bool


@dataclass(frozen=True, slots=True)
class OneSidedError:
    """An image of two runs that one of them predicts rightly, and what each predicts."""

    path: str
    before_name: str
    now_name: str
    now: bool
    """Whether the later run is the right one."""
