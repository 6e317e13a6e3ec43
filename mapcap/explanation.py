"""The pass: all that a photo is explained by, from one run of the vision tower.

The tower runs up to the last block's attention without a graph. From there the CLS token goes on
alone, with its attention in the open: to the features, the prediction, and back for the gradient
of each target; and once for each region, with the keys and values already there (`pooled`). So an
explanation costs hardly more than the features, and gives what `chefer` and `embed_regions` give.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapcap.classifiers.maps import Classified
from mapcap.config import IndexConfig
from mapcap.heads import LinearHead
from mapcap.networks.geometry import View
from mapcap.networks.reframing import reframe, reframe_region
from mapcap.networks.towers import ClipModel
from mapcap.regions import Region, find_regions
from mapcap.relevance import METHODS, Asked, Scene, open_scene
from mapcap.representations import embed_regions, pool_regions
from mapcap.zero_shot import Predictions, predict


@dataclass(frozen=True)
class Method:
    """How photos are explained."""

    representation: str
    threshold: str
    max_regions: int
    min_area: float
    relevance: str
    """One of `mapcap.relevance.METHODS`."""
    start_layer: int

    @classmethod
    def of(cls, config: IndexConfig) -> "Method":
        """Return what a run's configuration says of it."""
        return cls(
            config.representation,
            config.threshold,
            config.regions,
            config.min_area,
            config.relevance,
            config.relevance_start_layer,
        )


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a pass tells of B images: M maps, those of an image together, and their R regions."""

    features: NDArray[np.float32]
    """(B, D), not normalised"""
    logits: NDArray[np.float32]
    """(B, K)"""
    predictions: Predictions
    maps: Asked
    grids: NDArray[np.float32]
    """(M, gh, gw)"""
    regions: list[list[Region]]
    """The regions of each map, heaviest first."""
    region_features: NDArray[np.float32]
    """(R, D), not normalised, in the order of `regions`"""


def explain(
    model: ClipModel,
    images: Tensor,
    head: LinearHead,
    true: Tensor,
    method: Method,
    half: torch.dtype | None = None,
    predicted: Tensor | None = None,
) -> Explanation:
    """Explain preprocessed images (B, 3, H, W).

    `head` gives the logits of K classes; `true` (B,) index of each image's class into them, -1
    where it is not known: there the predicted class stands for it. `predicted` (B,) are the classes
    that another classifier predicts: its errors are then the ones to be explained. With `half`
    (bfloat16 or float16) the tower runs forward in that, up to the last block's attention; that
    attention, the gradients and all sums stay in the model's own dtype, and so do the further runs
    that start layers before the last, other methods than Chefer's and pictures of regions take.

    Raises `UserError` for a vision tower whose reading is not known or an unknown start layer.
    """
    # Tensors made in inference mode cannot be saved for the backward pass.
    with torch.inference_mode(False), torch.enable_grad():
        scene = open_scene(model, images, head, half)
        logits = scene.logits.detach()
        labels = torch.where(true < 0, logits.argmax(1).cpu(), true)
        predictions = predict(logits, labels)
        predicted_classes = (
            torch.from_numpy(predictions.top[:, 0]) if predicted is None else predicted
        )
        maps = Asked.of(labels, predicted_classes)
        chosen = METHODS[method.relevance](scene, maps, method.start_layer)
    grids = chosen.float().cpu().numpy()  # (M, gh, gw)
    size = images.shape[-2], images.shape[-1]
    regions = [
        find_regions(grid, size, method.threshold, method.max_regions, method.min_area)
        for grid in grids
    ]
    return Explanation(
        features=_plain(scene.features), logits=_plain(logits), predictions=predictions, maps=maps,
        grids=grids, regions=regions,
        region_features=_region_features(scene, maps, grids, regions, method),
    )  # fmt: skip


def put_in_words(
    model: ClipModel,
    images: Tensor,
    head: LinearHead,
    true: Tensor,
    classified: Classified,
    views: Sequence[tuple[View, View]],
    method: Method,
    half: torch.dtype | None = None,
) -> tuple[Explanation, Predictions]:
    """Embed by a CLIP what another network's maps single out of the same B images.

    `images` (B, 3, H, W) as the CLIP takes them, `head` that of the class texts, `true` (B,) the
    classes, `classified` what the network says and where it looks, `views` what it and the CLIP
    see of each image. Maps and regions come back as the CLIP sees the image; what it does not see
    of them is lost. Beside the explanation: what the CLIP itself predicts.
    """
    maps = classified.maps
    with torch.inference_mode(False), torch.enable_grad():
        scene = open_scene(model, images, head, half)
    grids, regions = [], []
    for owner, values in zip(maps.images.tolist(), classified.grids, strict=True):
        theirs, ours = views[owner]
        grids.append(reframe(values, theirs, ours, scene.grid))
        singled_out = find_regions(
            values, theirs.input, method.threshold, method.max_regions, method.min_area
        )
        mapped = (reframe_region(region, theirs, ours, scene.grid) for region in singled_out)
        regions.append([region for region in mapped if region is not None])
    stacked = np.stack(grids)
    explanation = Explanation(
        features=_plain(scene.features), logits=classified.logits,
        predictions=classified.predictions, maps=maps, grids=stacked, regions=regions,
        region_features=_region_features(scene, maps, stacked, regions, method),
    )  # fmt: skip
    return explanation, predict(scene.logits, true)


def _region_features(
    scene: Scene,
    maps: Asked,
    grids: NDArray[np.float32],
    regions: list[list[Region]],
    method: Method,
) -> NDArray[np.float32]:
    """Features (R, D) of the regions of M maps of a scene's images."""
    if method.representation == "pooled":
        masks = _by_image(maps.images, regions, len(scene.images), scene.grid)
        return _plain(pool_regions(scene.tower, scene.last, masks))
    return _plain(
        embed_regions(
            scene.model, scene.images[maps.images], grids, regions, method.representation,
            method.threshold,
        )
    )  # fmt: skip


def _by_image(
    owners: NDArray[np.int64], regions: list[list[Region]], count: int, grid: tuple[int, int]
) -> list[NDArray[np.bool_]]:
    """The patches of each image's regions, of all its maps: (R_i, gh, gw) an image."""
    masks: list[list[NDArray[np.bool_]]] = [[] for _ in range(count)]
    for owner, group in zip(owners, regions, strict=True):
        masks[owner] += [region.patches for region in group]
    return [np.array(patches, bool).reshape(-1, *grid) for patches in masks]


def _plain(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
