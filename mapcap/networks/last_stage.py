"""The last stage of a convolutional tower, and its head on a region's cells.

A region is read by the tower's own head, applied to the region's cells only: over all cells that is
the tower's own feature.
"""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.attention import Interception, softmax_attention, weigh
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.towers import ClipModel, as_input

_AT_ONCE = 64
"""Regions that go through the head together: each takes as much memory as an image's cells."""


class LastStage(NamedTuple):
    """What the last stage gives for B images."""

    activations: Tensor
    """(B, C, gh, gw)"""


class _Reached(Exception):
    """The head is reached: ends a forward pass whose rest nobody needs."""


def before_head(
    model: ClipModel, tower: ConvolutionalTower, images: Tensor, half: torch.dtype | None = None
) -> LastStage:
    """Run preprocessed images (B, 3, H, W) up to the head, without a graph.

    With `half` (bfloat16 or float16) the stages run in that; what is returned is in the tower's own
    dtype.
    """
    captured: list[Tensor] = []
    given = as_input(model.visual, images)

    def enter(head: nn.Module, args: tuple[Tensor, ...]) -> None:
        captured.append(args[0].to(given.dtype))
        raise _Reached

    lowered = nullcontext() if half is None else torch.autocast(given.device.type, half)
    try:
        with torch.no_grad(), tower.last.register_forward_pre_hook(enter), lowered:
            model.encode_image(given)
    except _Reached:
        pass
    return LastStage(captured[0])


def read_cells(
    tower: ConvolutionalTower, stage: LastStage, owner: Tensor, visible: Tensor
) -> Tensor:
    """Features (R, D) of image `owner` (R,) read off the cells where `visible` (R, N) alone."""
    parts = zip(torch.split(owner, _AT_ONCE), torch.split(visible, _AT_ONCE), strict=True)
    return torch.cat([_read_part(tower, stage.activations, *part) for part in parts])


def _read_part(
    tower: ConvolutionalTower, activations: Tensor, owner: Tensor, visible: Tensor
) -> Tensor:
    visible = visible.to(activations.device)
    inside = visible.view(-1, 1, *tower.grid)  # (R, 1, gh, gw)
    cells = activations[owner.to(activations.device)]  # (R, C, gh, gw)
    mean = (cells * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True)
    # The mean of all cells, which the head takes, is then that of the region's.
    cells = torch.where(inside, cells, mean)
    hidden = ~F.pad(visible, (1, 0), value=True)  # the query's own mean is seen

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        unseen = torch.zeros_like(hidden, dtype=torch.float32).masked_fill(hidden, float("-inf"))
        return weigh(softmax_attention(q, k, unseen[:, None, None], scale), v)

    with Interception(attend):  # an attention pool's; a mean pool has none
        return tower.read(cells)
