"""The last block of a vision tower on the CLS token alone, whose output nothing else reads.

What the other tokens become in the last block is never read, so it is not computed: the tower runs
up to the attention of its last block, and from there one query goes on for each thing asked.
"""

from contextlib import nullcontext
from typing import NamedTuple

import torch
from torch import Tensor

from mapcap.attention import Interception, require_all_seen, softmax_attention, weigh
from mapcap.networks.towers import ClipModel, VisionTower, as_input


class LastBlock(NamedTuple):
    """What the last block needs to compute its CLS token, of B images with N tokens."""

    token: Tensor
    """(B, 1, width), the block's input at CLS"""
    query: Tensor
    """(B, H, 1, d), of CLS"""
    key: Tensor
    """(B, H, N, d)"""
    value: Tensor
    """(B, H, N, d)"""
    scale: float


class _Reached(Exception):
    """The last attention layer is reached: ends a forward pass whose rest nobody needs."""


def before_last_block(
    model: ClipModel, tower: VisionTower, images: Tensor, half: torch.dtype | None = None
) -> LastBlock:
    """Run preprocessed images (B, 3, H, W) up to the last block's attention, without a graph.

    With `half` (bfloat16 or float16) matrices are multiplied in that; what is returned, and so all
    that is computed from it, is in the tower's own dtype. Raises `UserError` if the tower's
    attention could not be seen.
    """
    tokens: list[Tensor] = []
    found: list[LastBlock] = []
    given = as_input(model.visual, images)

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        token, query, key, value = (part.to(given.dtype) for part in (tokens[0], q[:, :, :1], k, v))
        found.append(LastBlock(token, query, key, value, scale))
        raise _Reached

    depth = len(tower.blocks)
    interception = Interception(attend, first_layer=depth - 1)
    hook = tower.blocks[-1].register_forward_pre_hook(
        lambda block, args: tokens.append(args[0][:, :1])
    )
    lowered = nullcontext() if half is None else torch.autocast(given.device.type, half)
    try:
        with torch.no_grad(), hook, interception, lowered:
            model.encode_image(given)
    except _Reached:
        pass
    require_all_seen(interception, depth)
    return found[0]


def cls_attention(last: LastBlock, seen: Tensor | None = None) -> Tensor:
    """Attention (B, H, 1, N) of the CLS query, float32 or wider; only to where `seen` (B, N) is."""
    if seen is None:
        return softmax_attention(last.query, last.key, None, last.scale)
    hidden = ~seen.to(last.token.device)[:, None, None]  # (B, 1, 1, N)
    mask = torch.zeros_like(hidden, dtype=torch.float32).masked_fill(hidden, float("-inf"))
    return softmax_attention(last.query, last.key, mask, last.scale)


def read_cls(tower: VisionTower, last: LastBlock, attention: Tensor) -> Tensor:
    """Features (B, D) of the CLS token with this attention (B, H, 1, N); gradients flow to it."""
    context = weigh(attention, last.value)  # (B, H, 1, d)
    # The block runs on the CLS token alone, by its own code, with this context in place of its own.
    with Interception(lambda *_: context):
        token = tower.blocks[-1](last.token)  # (B, 1, width)
    return tower.head(token)


def read_pooled(tower: VisionTower, last: LastBlock, owner: Tensor, seen: Tensor) -> Tensor:
    """Features (R, D) of the CLS token of image `owner` (R,) attending where `seen` (R, N)."""
    owner = owner.to(last.token.device)
    owned = LastBlock(
        last.token[owner], last.query[owner], last.key[owner], last.value[owner], last.scale
    )
    return read_cls(tower, owned, cls_attention(owned, seen))
