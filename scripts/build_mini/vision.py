"""The vision transformer in two parts: the blocks that stay as they are, and the trained end.

The first part runs once a photo and its output is cached; the end is trained on the cache.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from open_clip.transformer import LayerNorm, VisionTransformer
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.build_mini.assemble import PREPROCESS, SHARES, TRAINED_BLOCKS, VISION, WIDTH, averaged

MEAN = torch.tensor(PREPROCESS["mean"]).view(3, 1, 1)
STD = torch.tensor(PREPROCESS["std"]).view(3, 1, 1)


def half_precision() -> torch.autocast:
    """Multiply in bfloat16 inside this context, where the processor does that faster."""
    return torch.autocast("cpu", torch.bfloat16, enabled=_multiplies_bfloat16())


def _multiplies_bfloat16() -> bool:
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text(encoding="utf-8")


def build_vit(weights: Path) -> Any:
    """Build open_clip's VisionTransformer, whole, with the converted weights and no head."""
    config = dict(VISION)
    heads, norm = WIDTH // config.pop("head_width"), partial(LayerNorm, **config.pop("norm_kwargs"))
    vit = VisionTransformer(heads=heads, output_dim=WIDTH, norm_layer=norm, **config)
    vit.load_state_dict({**load_file(weights), "proj": torch.eye(WIDTH)})
    return vit.eval().requires_grad_(False)


def tokens_before_end(vit: Any, images: Tensor, patches: Sequence[int] | None = None) -> Tensor:
    """Run preprocessed images (B, 3, H, W) up to the trained blocks: tokens (B, N, W), CLS first.

    With `patches` only those are read (FLIP, Li et al. 2023): cheaper, and one more variation.
    """
    tokens: Tensor = vit._embeds(images)
    if patches is not None:
        tokens = tokens[:, [0, *(1 + patch for patch in patches)]]
    for block in vit.transformer.resblocks[:-TRAINED_BLOCKS]:
        tokens = block(tokens)
    return tokens


class End(nn.ModuleList):
    """The last blocks, the norm and a linear head, in the order in which `assemble` reads them."""

    def __init__(self, vit: Any, blocks: int = TRAINED_BLOCKS) -> None:
        width = len(vit.ln_post.weight)
        head = nn.Linear(width, width)
        nn.init.zeros_(head.bias)
        super().__init__([*vit.transformer.resblocks[-blocks:], vit.ln_post, head])

    @property
    def head(self) -> nn.Linear:
        """The map from the norm's output to the texts' space."""
        head = self[-1]
        assert isinstance(head, nn.Linear), "the last module is the head"
        return head

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, W) to features (B, D), not normalised."""
        return self.regions(tokens, [None])[0]

    def regions(self, tokens: Tensor, seen: Sequence[Tensor | None]) -> list[Tensor]:
        """Features (B, D) for each of several masks (B, N): the last CLS query looks there alone.

        None is the whole photo, CLS token included. Equals `mapcap.representations.pooled`.
        """
        *blocks, last, norm, head = self
        for block in blocks:
            tokens = block(tokens)
        query, key, value = cls_query(last, tokens)
        outputs = []
        for mask in seen:
            where = None if mask is None else mask[:, None, None]  # (B, 1, 1, N)
            context = F.scaled_dot_product_attention(query, key, value, attn_mask=where)
            outputs.append(head(norm(cls_after(last, tokens, context))))
        return outputs

    def looking(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, D) as `forward` gives them, and how much the last CLS query looks at each
        patch: attention (B, N - 1), the mean of its heads.
        """
        *blocks, last, norm, head = self
        for block in blocks:
            tokens = block(tokens)
        query, key, value = cls_query(last, tokens)
        weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(-1)  # (B, H, 1, N)
        features = head(norm(cls_after(last, tokens, weights @ value)))
        return features, weights.mean(1)[:, 0, 1:]


def cls_query(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a block's query (B, H, 1, d) of the CLS token, its keys and values (B, H, N, d).

    What the other tokens become in the last block is never read, so it is not computed.
    """
    attention = block.attn
    weight, bias, heads = attention.in_proj_weight, attention.in_proj_bias, attention.num_heads
    normed = block.ln_1(tokens)  # (B, N, W)
    width = normed.shape[-1]
    query = _heads(F.linear(normed[:, :1], weight[:width], bias[:width]), heads)  # (B, H, 1, d)
    key, value = (
        _heads(F.linear(normed, w, b), heads)  # (B, H, N, d)
        for w, b in zip(weight[width:].chunk(2), bias[width:].chunk(2), strict=True)
    )
    return query, key, value


def cls_after(block: Any, tokens: Tensor, context: Tensor) -> Tensor:
    """Return the CLS token (B, W) after a block, from what its heads have read (B, H, 1, d)."""
    joined = context.transpose(1, 2).flatten(2)  # (B, 1, W)
    token = tokens[:, :1] + block.ls_1(block.attn.out_proj(joined))
    token = token + block.ls_2(block.mlp(block.ln_2(token)))
    return token[:, 0]


def _heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, W) to (B, H, N, d)."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def save_end(end: End, scale: float, path: Path) -> None:
    """Write a trained end and the logarithm of its logit scale."""
    torch.save({"mods": end.state_dict(), "scale": scale}, path)


def load_end(vit: Any, cycles: Sequence[Path]) -> End:
    """Build the end that is shipped, for inference: the mean of the training cycles."""
    end = End(vit)
    trained = [torch.load(path, weights_only=True)["mods"] for path in cycles]
    end.load_state_dict(averaged(trained, SHARES))
    return end.eval().requires_grad_(False)
