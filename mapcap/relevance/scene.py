"""What a relevance method starts from: images half way through the tower, and the maps asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.last_block import LastBlock, last_attention, read_last
from mapcap.networks.last_layer import Last, before_last_layer
from mapcap.networks.last_stage import LastStage
from mapcap.networks.towers import (
    ClipModel,
    Tower,
    VisionTower,
    as_input,
    cosine_logits,
    require_attention,
    vision_tower,
)

Role = Literal["true", "predicted", "contrast"]
ROLES: tuple[Role, ...] = ("true", "predicted", "contrast")
"""What maps are for: the true class; on an error also the predicted one, and their contrast."""


@dataclass(frozen=True, eq=False)
class Scene:
    """B images that ran up to the last layer, and from there what is read of it."""

    model: ClipModel
    tower: Tower
    images: Tensor
    """(B, 3, H, W), preprocessed"""
    weights: Tensor
    """(K, D) class weights"""
    last: Last
    leaf: Tensor
    """Where gradients stop: attention (B, H, Q, N) of the last layer's queries, or activations
    (B, C, gh, gw) of a convolutional tower's last stage"""
    features: Tensor
    """(B, D), not normalised, with a graph back to `leaf`"""
    cosines: Tensor
    """(B, K) exp(logit_scale) * cosine, with a graph back to `leaf`"""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.tower.grid

    @property
    def transformer(self) -> VisionTower:
        """The tower, where it has attention to read; raises `UserError` where it has none."""
        return require_attention(self.tower)

    def run_again(self) -> Tensor:
        """Run the whole tower once more, for what its hooks and interceptions collect."""
        return self.model.encode_image(as_input(self.model.visual, self.images))

    def read_row(self, layer: Tensor) -> Tensor:
        """Take what the output reads of scores (B, Q, N) of the last layer: (B, N)."""
        queries = self.transformer.queries(layer.shape[1]).to(layer)
        return torch.einsum("q,bqn->bn", queries, layer)

    def as_grids(self, rows: Tensor) -> Tensor:
        """Take the patches' scores (M, gh, gw) from scores of all tokens (M, N)."""
        return rows[:, self.transformer.prefix :].reshape(-1, *self.grid)


def open_scene(
    model: ClipModel, images: Tensor, weights: Tensor, half: torch.dtype | None = None
) -> Scene:
    """Run preprocessed images (B, 3, H, W) through the tower; `weights` (K, D) are the texts.

    With `half` (bfloat16 or float16) the tower runs in that up to its last layer.
    Call it where gradients are on and inference mode is off. Raises `UserError` for a vision tower
    whose reading is not known.
    """
    tower = vision_tower(model.visual)
    # A tensor made in inference mode cannot be saved for the backward pass.
    weights = weights.clone()
    last = before_last_layer(model, tower, images, half)
    match tower, last:
        case VisionTower(), LastBlock():
            leaf = last_attention(last).detach().requires_grad_()
            features = read_last(tower, last, leaf)
        case ConvolutionalTower(), LastStage():
            leaf = last.activations.detach().requires_grad_()
            features = tower.read(leaf)
    cosines = cosine_logits(model, features, weights)
    return Scene(model, tower, images, weights, last, leaf, features, cosines)


@dataclass(frozen=True, eq=False)
class Asked:
    """Which M maps of B images are wanted: of each image those of the first one or three roles."""

    images: NDArray[np.int64]
    """(M,) index of the image; ascending"""
    roles: tuple[Role, ...]
    """M roles, in the order of `ROLES` within an image."""
    true: Tensor
    """(B,) index of each image's true class"""
    predicted: Tensor
    """(B,) index of the class predicted"""

    @classmethod
    def of(cls, true: Tensor, predicted: Tensor) -> "Asked":
        """Ask for one map of each image that is predicted as its true class, else for three."""
        true, predicted = true.cpu(), predicted.cpu()
        counts = np.where((true == predicted).numpy(), 1, len(ROLES))
        roles = tuple(role for count in counts for role in ROLES[:count])
        return cls(np.repeat(np.arange(len(counts)), counts), roles, true, predicted)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(B,) number of maps of each image."""
        return np.bincount(self.images)

    def targets(self, classes: int) -> list[Tensor]:
        """Weights of the logits (B, K) for each role."""
        true, predicted = (
            F.one_hot(index, classes).float() for index in (self.true, self.predicted)
        )
        return [true, predicted, predicted - true]

    def classes(self) -> NDArray[np.int64]:
        """(M,) index of the class that each map is for; for a contrast the predicted one."""
        for_true = np.array([role == "true" for role in self.roles])
        both = np.stack([self.predicted.numpy(), self.true.numpy()])  # (2, B)
        chosen: NDArray[np.int64] = both[for_true.astype(int), self.images]
        return chosen

    def choose(self, classes: int, map_of: Callable[[Tensor], Tensor]) -> Tensor:
        """Compute maps for whole roles, and pick the asked ones: (M, ...).

        `map_of` turns weights of the logits (B, K) into the maps (B, ...) of all images; it is
        called for as many roles as any image needs.
        """
        targets = self.targets(classes)[: self.counts.max()]
        rows = [ROLES.index(role) for role in self.roles]
        return torch.stack([map_of(target) for target in targets])[
            rows, torch.from_numpy(self.images)
        ]
