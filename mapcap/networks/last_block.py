"""The last attention layer of a vision tower, on what its output is read from and nothing else.

Where the output is one token's, what the other tokens become in the last block is never read, so it
is not computed: the tower runs up to the attention of its last block, and from there one query goes
on for each thing asked. The same holds for the query of an attention pool. Where the output is the
mean of the patches, all tokens go on.
"""

from contextlib import ExitStack, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mapcap.attention import Interception, require_all_intercepted, softmax_attention, weigh
from mapcap.networks.towers import ClipModel, VisionTower, as_input


class LastBlock(NamedTuple):
    """What the last layer needs for its output, of B images with N tokens and Q queries.

    Q is 1, or N where the mean of the patches is read.
    """

    token: Tensor
    """(B, Q, width), the layer's input at its queries"""
    query: Tensor
    """(B, H, Q, d)"""
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
    """Run preprocessed images (B, 3, H, W) up to the last layer's attention, without a graph.

    With `half` (bfloat16 or float16) matrices are multiplied in that; what is returned, and so all
    that is computed from it, is in the tower's own dtype. Raises `UserError` if the tower's
    attention could not be seen.
    """
    tokens: list[Tensor] = []
    captured: list[LastBlock] = []
    given = as_input(model.visual, images)
    queries = slice(None) if tower.reading == "mean" else slice(1)

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        token, query, key, value = (
            part.to(given.dtype) for part in (tokens[0][:, queries], q[:, :, queries], k, v)
        )
        captured.append(LastBlock(token, query, key, value, scale))
        raise _Reached

    interception = Interception(attend)
    lowered = nullcontext() if half is None else torch.autocast(given.device.type, half)
    with ExitStack() as stack:

        def enter(layer: nn.Module, args: tuple[Tensor, ...]) -> None:
            tokens.append(args[0])
            # Not before: torch leaves its fastest attention where anything watches it.
            stack.enter_context(interception)

        hook = tower.last.register_forward_pre_hook(enter)
        try:
            with torch.no_grad(), hook, lowered:
                model.encode_image(given)
        except _Reached:
            pass
    require_all_intercepted(interception, depth=1)
    return captured[0]


def last_attention(last: LastBlock, visible: Tensor | None = None) -> Tensor:
    """Attention (B, H, Q, N) of the queries, float32 or wider; only where `visible` (B, N) is."""
    if visible is None:
        return softmax_attention(last.query, last.key, None, last.scale)
    hidden = ~visible.to(last.token.device)[:, None, None]  # (B, 1, 1, N)
    mask = torch.zeros_like(hidden, dtype=torch.float32).masked_fill(hidden, float("-inf"))
    return softmax_attention(last.query, last.key, mask, last.scale)


def read_last(tower: VisionTower, last: LastBlock, attention: Tensor) -> Tensor:
    """Features (B, D) with this attention (B, H, Q, N) in the last layer; gradients flow to it."""
    return tower.finish(_after(tower, last.token, weigh(attention, last.value)))


def read_pooled(tower: VisionTower, last: LastBlock, owner: Tensor, visible: Tensor) -> Tensor:
    """Features (R, D) of image `owner` (R,) read where `visible` (R, N) alone.

    The query of a token or a pool attends only there; a mean is taken only there.
    """
    owner, visible = owner.to(last.token.device), visible.to(last.token.device)
    if tower.reading == "mean":
        tokens = tower.norm(_after(tower, last.token, weigh(last_attention(last), last.value)))
        shares = (visible / visible.sum(1, keepdim=True)).to(tokens)  # (R, N)
        return tower.head(torch.einsum("rn,rnw->rw", shares, tokens[owner]))
    owned = LastBlock(
        last.token[owner], last.query[owner], last.key[owner], last.value[owner], last.scale
    )
    return read_last(tower, owned, last_attention(owned, visible))


def read_alone(tower: VisionTower, last: LastBlock) -> Tensor:
    """Features (B * P, D) of a pool whose query attends to one of the P patches alone, for each."""
    values = last.value[:, :, tower.prefix :]  # (B, H, P, d)
    context = values.transpose(1, 2).flatten(0, 1).unsqueeze(2)  # (B * P, H, 1, d)
    token = last.token.repeat_interleave(values.shape[2], 0)
    return tower.finish(_after(tower, token, context))


def _after(tower: VisionTower, token: Tensor, context: Tensor) -> Tensor:
    """Run the last layer by its own code, with this context (B, H, Q, d) in place of its own."""
    with Interception(lambda *_: context):
        output: Tensor = tower.last(token)
    return output
