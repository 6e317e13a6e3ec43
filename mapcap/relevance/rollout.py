"""Attention rollout: attention and the residual beside it, multiplied through the layers.

Abnar and Zuidema 2020 (arXiv 2005.00928): with A the mean over heads, A' = (A + I) / 2 and
R <- A' R. It knows nothing of the text: all maps of an image are the same, which makes it what a
method that reads the text is compared with.
"""

import torch
from torch import Tensor

from mapcap.attention import exposed
from mapcap.relevance.scene import Asked, Scene


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Rollout (M, gh, gw) over the layers from `start_layer` on, from a run of its own."""
    tower = scene.transformer
    with exposed(tower.depth, start_layer) as attention:
        scene.run_again()
    layers = [layer.detach().mean(1) for layer in attention]  # (B, Q, N)
    if tower.pool is None:
        row = tower.queries(layers[-1].shape[1]).to(layers[-1]).expand(len(scene.images), -1)
    else:  # nothing goes past a pool
        row = scene.read_row(layers.pop())
    for layer in reversed(layers):
        row = (row + torch.einsum("bn,bnm->bm", row, layer)) / 2
    return scene.as_grids(row[torch.from_numpy(asked.images)])
