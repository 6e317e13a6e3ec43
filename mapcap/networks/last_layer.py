"""The last layer of any vision tower: images that stand before it, and what it reads of regions."""

import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.last_block import LastBlock, before_last_block, read_pooled
from mapcap.networks.last_stage import LastStage, before_head, read_cells
from mapcap.networks.towers import ClipModel, Tower, VisionTower

Last = LastBlock | LastStage
"""Images before the last attention of a transformer, or before the head over convolutions."""


def before_last_layer(
    model: ClipModel, tower: Tower, images: Tensor, half: torch.dtype | None = None
) -> Last:
    """Run preprocessed images (B, 3, H, W) up to the last layer, without a graph.

    With `half` (bfloat16 or float16) matrices are multiplied in that; what is returned is in the
    tower's own dtype.
    """
    if isinstance(tower, ConvolutionalTower):
        return before_head(model, tower, images, half)
    return before_last_block(model, tower, images, half)


def read_regions(tower: Tower, last: Last, owner: Tensor, visible: Tensor) -> Tensor:
    """Features (R, D) of image `owner` (R,) read off the patches where `visible` (R, P) alone."""
    match tower, last:
        case ConvolutionalTower(), LastStage():
            return read_cells(tower, last, owner, visible)
        case VisionTower(), LastBlock():
            # The query sees the region alone: no CLS, not even itself, and no register either.
            return read_pooled(tower, last, owner, F.pad(visible, (tower.prefix, 0), value=False))
    raise TypeError(f"a {type(tower).__name__} has no {type(last).__name__}")
