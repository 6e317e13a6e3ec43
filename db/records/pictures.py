"""Records of images, relevance maps, regions and embeddings.

Boxes are x0, y0, x1, y1 in pixels of the original image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before numpy is loaded.
    import numpy as np
    from numpy.typing import NDArray

Role = Literal["true", "predicted", "contrast"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Box = tuple[float, float, float, float]
# Which images of a class.
Show = Literal["all", "right", "wrong"]
# The place of an image in the order of margins; an image without prediction has margin None.
Place = tuple[float | None, int]


@dataclass(frozen=True, slots=True)
class Image:
    """An image with its prediction, whose fields are None until it is predicted.

    Where a file gave the prediction, what it lacks is None too, and `witness_name` is the class
    that the CLIP says, with its probability.
    """

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
    witness_name: str | None = None
    witness_probability: float | None = None

    @property
    def unlabelled(self) -> bool:
        """Whether it is predicted and nobody labelled it: its class is the predicted one."""
        return self.correct is None and self.predicted_class_id is not None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What a run has of a file: `whole` if the pass is done with it, or if it is unreadable."""

    id: int
    path: str
    class_id: int
    content_hash: str | None
    file_size: int | None
    modified: int | None
    box: Box | None
    error: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class TopClass:
    """One of an image's best classes; rank 1 is the predicted one. A file may lack the numbers."""

    rank: int
    class_id: int
    name: str
    probability: float | None
    logit: float | None


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
    width: int
    height: int
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
        features: NDArray[np.float32] = self.vectors.astype("float32") * self.norms[:, None]
        return features


@dataclass(frozen=True, slots=True)
class Codes:
    """Embeddings in eight bits: vector i is within `errors[i]` of centre + scales[i] * codes[i].

    `ids`, `scales` and `errors` (n,), `centre` (D,), `codes` (n, D) int8; errors are L2 norms.
    """

    ids: NDArray[np.int64]
    centre: NDArray[np.float32]
    scales: NDArray[np.float32]
    errors: NDArray[np.float32]
    codes: NDArray[np.int8]
