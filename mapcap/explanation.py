"""The pass: all that a photo is explained by, from one run of the vision tower.

The tower runs up to the last block's attention without a graph. From there the CLS token goes on
alone, with its attention in the open: to the features, the prediction, and back for the gradient
of each target; and once for each region, with the keys and values already there (`pooled`). So an
explanation costs hardly more than the features, and gives what `chefer` and `embed_regions` give.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.attention import first_layer
from mapcap.config import IndexConfig
from mapcap.networks.last_block import before_last_block, cls_attention, read_cls
from mapcap.networks.towers import ClipModel, cosine_logits, vision_tower
from mapcap.regions import Region, find_regions
from mapcap.relevance import layer_relevance, logit_weights, relevance_maps
from mapcap.representations import embed_regions, pool_regions
from mapcap.zero_shot import Predictions, biased, predict

Role = Literal["true", "predicted", "contrast"]
ROLES: tuple[Role, ...] = ("true", "predicted", "contrast")
"""What maps are for: the true class; on an error also the predicted one, and their contrast."""


@dataclass(frozen=True)
class Method:
    """How photos are explained."""

    representation: str
    threshold: str
    max_regions: int
    min_area: float
    start_layer: int

    @classmethod
    def of(cls, config: IndexConfig) -> "Method":
        """Return what a run's configuration says of it."""
        return cls(
            config.representation,
            config.threshold,
            config.regions,
            config.min_area,
            config.relevance_start_layer,
        )


@dataclass(frozen=True, eq=False)
class Maps:
    """Which M maps B images have: one for the true class, on an error all three roles."""

    images: NDArray[np.int64]
    """(M,) index of the image; ascending"""
    roles: tuple[Role, ...]
    """M roles, in the order of `ROLES` within an image."""
    true: Tensor
    """(B,) index of each image's true class"""
    predicted: Tensor
    """(B,) index of the class predicted"""

    @classmethod
    def asked(cls, true: Tensor, predictions: Predictions) -> "Maps":
        """List the maps that predictions call for."""
        counts = np.where(predictions.correct, 1, len(ROLES))
        roles = tuple(role for count in counts for role in ROLES[:count])
        images = np.repeat(np.arange(len(counts)), counts)
        return cls(images, roles, true.cpu(), torch.from_numpy(predictions.top[:, 0]))

    @property
    def counts(self) -> NDArray[np.int64]:
        """(B,) number of maps of each image."""
        return np.bincount(self.images)

    def targets(self, classes: int) -> list[Tensor]:
        """What `relevance_maps` is asked for each role: indices (B,), or weights (B, K)."""
        true, predicted = (F.one_hot(index, classes) for index in (self.true, self.predicted))
        return [self.true, self.predicted, (predicted - true).float()]

    def classes(self) -> NDArray[np.int64]:
        """(M,) index of the class that each map is for; for a contrast the predicted one."""
        for_true = np.array([role == "true" for role in self.roles])
        both = np.stack([self.predicted.numpy(), self.true.numpy()])  # (2, B)
        chosen: NDArray[np.int64] = both[for_true.astype(int), self.images]
        return chosen


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a pass tells of B images: M maps, those of an image together, and their R regions."""

    features: NDArray[np.float32]
    """(B, D), not normalised"""
    logits: NDArray[np.float32]
    """(B, K)"""
    predictions: Predictions
    maps: Maps
    grids: NDArray[np.float32]
    """(M, gh, gw)"""
    regions: list[list[Region]]
    """The regions of each map, heaviest first."""
    region_features: NDArray[np.float32]
    """(R, D), not normalised, in the order of `regions`"""


def explain(
    model: ClipModel, images: Tensor, weights: Tensor, true: Tensor, method: Method
) -> Explanation:
    """Explain preprocessed images (B, 3, H, W).

    `weights` (K, D) from `class_weights`; `true` (B,) index of each image's class into them, -1
    where it is not known: there the predicted class stands for it.

    Raises `UserError` for a vision tower without a CLS token or an unknown start layer.
    """
    tower = vision_tower(model.visual)
    last_alone = first_layer(method.start_layer, len(tower.blocks)) == len(tower.blocks) - 1
    # Tensors made in inference mode cannot be saved for the backward pass; nor can the weights.
    with torch.inference_mode(False), torch.enable_grad():
        weights = weights.clone()
        last = before_last_block(model, tower, images)
        attention = cls_attention(last).detach().requires_grad_()  # (B, H, 1, N)
        features = read_cls(tower, last, attention)
        cosines = cosine_logits(model, features, weights)  # (B, K)
        logits = biased(model, cosines.detach())
        known = torch.where(true < 0, logits.argmax(1).cpu(), true)
        predictions = predict(logits, known)
        maps = Maps.asked(known, predictions)
        if last_alone:
            chosen = _last_maps(cosines, attention, maps)[:, tower.prefix :]
        else:
            chosen = _deeper_maps(model, images, weights, maps, method.start_layer)
    chosen = chosen.reshape(-1, *tower.grid(images))
    found = chosen.float().cpu().numpy()  # (M, gh, gw)
    size = images.shape[-2], images.shape[-1]
    regions = [
        find_regions(grid, size, method.threshold, method.max_regions, method.min_area)
        for grid in found
    ]
    if method.representation == "pooled":
        masks = _by_image(maps.images, regions, len(images), tower.grid(images))
        region_features = pool_regions(tower, last, masks)
    else:
        region_features = embed_regions(
            model, images[maps.images], found, regions, method.representation, method.threshold
        )
    return Explanation(
        features=_plain(features), logits=_plain(logits), predictions=predictions, maps=maps,
        grids=found, regions=regions, region_features=_plain(region_features),
    )  # fmt: skip


def _last_maps(logits: Tensor, attention: Tensor, maps: Maps) -> Tensor:
    """Chefer's relevance (M, N) of the last layer alone, whose CLS row is all that is read.

    With R = I before it, the row is that of I + C: what the CLS token itself gets is not asked.
    """
    found = []
    for target in maps.targets(logits.shape[1])[: maps.counts.max()]:
        score = (logit_weights(target, logits) * logits).sum()
        (gradient,) = torch.autograd.grad(score, attention, retain_graph=True)
        found.append(layer_relevance(attention, gradient)[:, 0])
    rows = [ROLES.index(role) for role in maps.roles]
    return torch.stack(found)[rows, torch.from_numpy(maps.images)]


def _deeper_maps(
    model: ClipModel, images: Tensor, weights: Tensor, maps: Maps, start_layer: int
) -> Tensor:
    """Relevance (M, gh, gw) of several layers, which takes a run of its own with all in the open.

    Correct and misclassified images apart: only the latter pay for three backward passes.
    """
    targets, found = maps.targets(len(weights)), dict[int, Tensor]()
    for count in (1, len(ROLES)):
        rows = np.flatnonzero(maps.counts == count)
        if rows.size:
            asked = [target[rows] for target in targets[:count]]
            of_roles = relevance_maps(model, images[rows], weights, asked, start_layer)
            found.update(zip(rows.tolist(), torch.stack(of_roles, 1), strict=True))
    return torch.cat([found[image] for image in range(len(images))])


def _by_image(
    owners: NDArray[np.int64], regions: list[list[Region]], count: int, grid: tuple[int, int]
) -> list[NDArray[np.bool_]]:
    """The patches of each image's regions, of all its maps: (R_i, gh, gw) an image."""
    masks: list[list[NDArray[np.bool_]]] = [[] for _ in range(count)]
    for owner, found in zip(owners, regions, strict=True):
        masks[owner] += [region.patches for region in found]
    return [np.array(found, bool).reshape(-1, *grid) for found in masks]


def _plain(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
