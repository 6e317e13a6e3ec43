"""Occlusion: how far the score falls where a part of the picture is covered.

Zeiler and Fergus 2014 (arXiv 1311.2901): a grey square is slid over the picture, and a patch gets
the mean fall of the squares that cover it. It looks at nothing inside the network, so it fits every
tower and is the referee of the other methods; it takes a run of the tower for each square.
"""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.towers import as_input, cosine_logits
from mapcap.relevance.propagation import logit_weights
from mapcap.relevance.scene import Asked, Scene

_SHARE: Final = 4
"""A square is as wide as this part of the grid: one patch alone is seldom missed."""


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Occlusion (M, gh, gw), rises of the score cut off at 0; `start_layer` has no part."""
    rows, columns = scene.grid
    tall, wide = max(1, rows // _SHARE), max(1, columns // _SHARE)
    places = (rows - tall + 1, columns - wide + 1)
    falls = []
    with torch.no_grad():
        for top in range(places[0]):
            for left in range(places[1]):
                square = torch.zeros(rows, columns)
                square[top : top + tall, left : left + wide] = 1
                falls.append(scene.cosines.detach() - _covered(scene, square))
    fallen = torch.stack(falls, 1)  # (B, S, K)
    covers = torch.ones(1, 1, tall, wide, device=fallen.device, dtype=fallen.dtype)
    counts = F.conv_transpose2d(fallen.new_ones(1, 1, *places), covers)  # (1, 1, gh, gw)

    def of_role(target: Tensor) -> Tensor:
        weights = logit_weights(target, scene.cosines)
        by_square = torch.einsum("bsk,bk->bs", fallen, weights).view(-1, 1, *places)
        spread = F.conv_transpose2d(by_square, covers) / counts
        return spread[:, 0].clamp(min=0)

    return asked.choose(len(scene.weights), of_role)


def _covered(scene: Scene, square: Tensor) -> Tensor:
    """Logits (B, K) of the images with the patches of a square (gh, gw) at the mean colour."""
    images = as_input(scene.model.visual, scene.images)
    size = images.shape[-2:]
    cover = F.interpolate(square[None, None], size, mode="nearest").to(images.device) > 0
    features = scene.model.encode_image(images.masked_fill(cover, 0))
    return cosine_logits(scene.model, features, scene.weights)
