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
    with exposed(len(scene.tower.blocks), start_layer) as attention:
        scene.run_again()
    row = torch.zeros_like(attention[0][:, 0, 0]).detach()  # (B, N)
    row[:, 0] = 1
    for layer in reversed(attention):
        row = (row + torch.einsum("bn,bnm->bm", row, layer.detach().mean(1))) / 2
    return scene.as_grids(row[torch.from_numpy(asked.images)])
