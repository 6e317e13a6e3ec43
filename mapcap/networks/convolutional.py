"""Convolutional vision towers (ConvNeXt, ResNet, FastViT): stages of cells, and a head over them.

The head takes the mean of the last stage's cells (timm's), or attends to them with their mean as
the query (OpenAI's ResNets).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class ConvolutionalTower:
    """A vision tower without attention between its cells."""

    blocks: Sequence[nn.Module]
    """Residual blocks of all stages, first to last."""
    grid: tuple[int, int]
    """Rows and columns of the last stage's cells."""
    last: nn.Module
    """The module that takes the last stage's activations."""
    read: Callable[[Tensor], Tensor]
    """Activations (B, C, gh, gw) -> features (B, D)."""


def convolutional_tower(visual: Any) -> ConvolutionalTower | None:
    """Describe `model.visual`; None if it is no convolutional tower that is known."""
    if type(visual).__name__ == "ModifiedResNet":
        layers = (visual.layer1, visual.layer2, visual.layer3, visual.layer4)
        blocks = [block for layer in layers for block in layer]
        grid = _grid(visual.image_size, 32)
        return ConvolutionalTower(blocks, grid, visual.attnpool, visual.attnpool)
    if type(visual).__name__ != "TimmModel":
        return None
    from timm.layers.classifier import ClassifierHead, NormMlpClassifierHead

    trunk = visual.trunk
    head: Any = getattr(trunk, "head", None)
    stages: Any = getattr(trunk, "stages", None)
    known = isinstance(head, (ClassifierHead, NormMlpClassifierHead)) and stages is not None
    if not known or getattr(head, "input_fmt", "NCHW") != "NCHW":
        return None
    if head.global_pool.pool_type not in ("avg", "fast", "fastavg"):
        return None
    blocks = [block for stage in stages for block in stage.blocks]
    grid = _grid(visual.image_size, trunk.feature_info[-1]["reduction"])
    return ConvolutionalTower(blocks, grid, head, lambda cells: visual.head(head(cells)))


def _grid(size: int | Sequence[int], reduction: int) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    return height // reduction, width // reduction
