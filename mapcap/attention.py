"""Attention probabilities of a tower, exposed without touching the network.

Every tower that MapCap reads computes its attention by one of two functions of torch:
`scaled_dot_product_attention` (timm, Hugging Face) or `multi_head_attention_forward`
(open_clip, through `nn.MultiheadAttention`). `Interception` stands in their place on this thread
while its `with` block lasts. No module is patched, so nothing has to be put back: after the block,
and after an exception in it, the network is as it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from mapcap.errors import UserError

# (q, k, v each (B, H, N, d); additive mask or None; scale of the logits) -> context (B, H, N, d)
Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None, float], Tensor]


class Interception(TorchFunctionMode):
    """Hand every attention layer from `first_layer` on to `attend`; count all of them in `calls`.

    Layers below `first_layer` run the kernel they would have run anyway.
    """

    def __init__(self, attend: Attend, first_layer: int = 0) -> None:
        super().__init__()
        self.calls = 0
        self._attend = attend
        self._first_layer = first_layer

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            compute: Callable[..., Any] = self._dot_product
        elif func is F.multi_head_attention_forward:
            compute = self._multi_head
        else:
            return func(*args, **kwargs)
        self.calls += 1
        exposed = self.calls > self._first_layer
        return compute(*args, **kwargs) if exposed else func(*args, **kwargs)

    def _dot_product(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Take the arguments of `scaled_dot_product_attention`."""
        if is_causal:
            attn_mask = query.new_ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:  # True: may be attended to
            attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(
                ~attn_mask, float("-inf")
            )
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return self._attend(query, key, value, attn_mask, scale)

    def _multi_head(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        width: int,
        heads: int,
        in_weight: Tensor | None,
        in_bias: Tensor | None,
        bias_k: Tensor | None,
        bias_v: Tensor | None,
        add_zero_attn: bool,
        dropout_p: float,
        out_weight: Tensor,
        out_bias: Tensor | None,
        *,
        attn_mask: Tensor | None = None,
        q_proj_weight: Tensor | None = None,
        k_proj_weight: Tensor | None = None,
        v_proj_weight: Tensor | None = None,
        **unused: Any,
    ) -> tuple[Tensor, None]:
        """Take the arguments of `multi_head_attention_forward`; tokens first: (N, B, D)."""
        separate = (q_proj_weight, k_proj_weight, v_proj_weight)
        weights: Any = separate if in_weight is None else in_weight.chunk(3)
        biases = (None, None, None) if in_bias is None else in_bias.chunk(3)
        q, k, v = (
            F.linear(x, weight, bias).view(*x.shape[:2], heads, width // heads).permute(1, 2, 0, 3)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )  # (B, H, N, d) each
        if attn_mask is not None and attn_mask.ndim == 3:
            attn_mask = attn_mask.view(-1, heads, *attn_mask.shape[1:])  # (B, H, N, N)
        context = self._attend(q, k, v, attn_mask, q.shape[-1] ** -0.5)
        tokens = context.permute(2, 0, 1, 3).flatten(2)  # (N, B, D)
        return F.linear(tokens, out_weight, out_bias), None


def softmax_attention(q: Tensor, k: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Attention probabilities (..., H, N, N) in float32 or wider, whatever the network's dtype."""
    wide = torch.promote_types(q.dtype, torch.float32)
    logits = (q.to(wide) * scale) @ k.to(wide).mT  # (B, H, N, N)
    return (logits if mask is None else logits + mask).softmax(-1)


def weigh(probabilities: Tensor, v: Tensor) -> Tensor:
    """Product of attention probabilities and values, computed wide, in the dtype of the values."""
    return (probabilities @ v.to(probabilities.dtype)).to(v.dtype)


def first_layer(start_layer: int, depth: int) -> int:
    """Turn a start layer, which may count from the end (-1 the last), into 0..depth - 1."""
    if not -depth <= start_layer < depth:
        raise UserError(
            f"relevance start layer {start_layer}: this network has {depth} attention layers; "
            f"choose a number from {-depth} to {depth - 1}"
        )
    return start_layer % depth


@contextmanager
def exposed(depth: int, start_layer: int) -> Iterator[list[Tensor]]:
    """Collect the attention probabilities of the layers from `start_layer` on.

    `depth` is the number of attention layers of the tower that runs inside the block. The list
    fills during the forward pass: (B, H, N, N) a layer, after the softmax (and so after any causal
    mask), before the product with the values, and on the path to the output, so that
    `torch.autograd.grad(score, list)` works. Layers below run without a graph; it starts at the
    first entry, under the caller's `no_grad` too (not under `inference_mode`), and the parameters'
    `requires_grad` does not matter. Raises `UserError` if the tower's attention could not be seen.
    """
    probabilities: list[Tensor] = []

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        attention = softmax_attention(q, k, mask, scale)
        if not probabilities:
            attention = attention.detach().requires_grad_()
            torch.set_grad_enabled(True)  # undone by the no_grad around the block
        probabilities.append(attention)
        return weigh(attention, v)

    interception = Interception(attend, first_layer(start_layer, depth))
    with torch.no_grad(), interception:
        yield probabilities
    require_all_intercepted(interception, depth)


def require_all_intercepted(interception: Interception, depth: int) -> None:
    """Raise `UserError` unless each of the tower's `depth` attention layers passed by."""
    if interception.calls != depth:
        raise UserError(
            f"saw {interception.calls} of the network's {depth} attention layers: MapCap reads "
            "attention that is computed by torch's own functions; unset TIMM_FUSED_ATTN and load "
            'text networks with attn_implementation="sdpa"'
        )
