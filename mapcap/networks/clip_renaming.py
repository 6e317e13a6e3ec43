"""The names that transformers' CLIP and SigLIP weights have in open_clip's networks."""

import re
from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

_Rules = tuple[tuple[str, str], ...]
"""Patterns, and what stands in the place of a match."""

_CLIP: Final[_Rules] = (
    (r"vision_model\.embeddings\.class_embedding", "visual.class_embedding"),
    (r"vision_model\.embeddings\.patch_embedding\.", "visual.conv1."),
    (r"vision_model\.embeddings\.position_embedding\.weight", "visual.positional_embedding"),
    (r"vision_model\.pre_layrnorm\.", "visual.ln_pre."),
    (r"vision_model\.post_layernorm\.", "visual.ln_post."),
    (r"vision_model\.encoder\.layers\.", "visual.transformer.resblocks."),
    (r"text_model\.embeddings\.token_embedding\.", "token_embedding."),
    (r"text_model\.embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"text_model\.final_layer_norm\.", "ln_final."),
    (r"text_model\.encoder\.layers\.", "transformer.resblocks."),
    (r"visual_projection\.weight", "visual.proj"),
    (r"text_projection\.weight", "text_projection"),
)
_SIGLIP_TEXT: Final[_Rules] = (
    (r"text_model\.embeddings\.token_embedding\.", "text.token_embedding."),
    (r"text_model\.embeddings\.position_embedding\.weight", "text.positional_embedding"),
    (r"text_model\.final_layer_norm\.", "text.ln_final."),
    (r"text_model\.head\.", "text.text_projection."),
    (r"text_model\.encoder\.layers\.", "text.transformer.resblocks."),
)
_SIGLIP_VISION: Final[_Rules] = (
    (r"vision_model\.embeddings\.patch_embedding\.", "visual.trunk.patch_embed.proj."),
    (r"vision_model\.embeddings\.position_embedding\.weight", "visual.trunk.pos_embed"),
    (r"vision_model\.post_layernorm\.", "visual.trunk.norm."),
    (r"vision_model\.head\.probe", "visual.trunk.attn_pool.latent"),
    (r"vision_model\.head\.attention\.out_proj\.", "visual.trunk.attn_pool.proj."),
    (r"vision_model\.head\.layernorm\.", "visual.trunk.attn_pool.norm."),
    (r"vision_model\.head\.mlp\.", "visual.trunk.attn_pool.mlp."),
    (r"vision_model\.encoder\.layers\.", "visual.trunk.blocks."),
)
_OPEN_CLIP_BLOCK: Final[_Rules] = (
    (r"\.self_attn\.qkv_proj\.", ".attn.in_proj_"),
    (r"\.self_attn\.out_proj\.", ".attn.out_proj."),
    (r"\.layer_norm(\d)\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
)
_TIMM_BLOCK: Final[_Rules] = (
    (r"\.self_attn\.qkv_proj\.", ".attn.qkv."),
    (r"\.self_attn\.out_proj\.", ".attn.proj."),
    (r"\.layer_norm(\d)\.", r".norm\1."),
)

_BY_KIND: Final[Mapping[str, Mapping[str, _Rules]]] = {
    "clip": {"": _CLIP + _OPEN_CLIP_BLOCK},
    "siglip": {
        "vision_model.": _SIGLIP_VISION + _TIMM_BLOCK,
        "": _SIGLIP_TEXT + _OPEN_CLIP_BLOCK,
    },
}
"""By the kind of network and the beginning of a name, the first that fits."""
_POOL: Final = "vision_model.head.attention.in_proj_"


def renamed(
    state: Mapping[str, Tensor], kind: str, expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Rename the weights of a `clip` or `siglip`, and shape them as `expected`.

    Names without a place in open_clip's network keep theirs, so that filling it says so.
    """
    result: dict[str, Tensor] = {}
    for name, tensor in _joined(state).items():
        if name.endswith("position_ids"):  # older files hold these counts
            continue
        if name.startswith(_POOL):
            part, width = name.removeprefix(_POOL), len(tensor) // 3
            result[f"visual.trunk.attn_pool.q.{part}"] = tensor[:width]
            result[f"visual.trunk.attn_pool.kv.{part}"] = tensor[width:]
            continue
        rules = next(r for start, r in _BY_KIND[kind].items() if name.startswith(start))
        key = name
        for pattern, replacement in rules:
            key = re.sub(pattern, replacement, key)
        if key in ("visual.proj", "text_projection"):  # open_clip multiplies from the right
            tensor = tensor.T
        # transformers has a dimension of 1 less on positions, and one more on the scale.
        like = expected.get(key)
        if like is not None and _without_ones(like) == _without_ones(tensor):
            tensor = tensor.reshape(like.shape)
        result[key] = tensor
    return result


def _without_ones(tensor: Tensor) -> list[int]:
    return [size for size in tensor.shape if size != 1]


def _joined(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put queries, keys and values, which transformers keeps apart, behind one another."""
    result = dict(state)
    for name in state:
        if ".q_proj." in name:
            parts = [result.pop(name.replace(".q_proj.", f".{part}_proj.")) for part in "qkv"]
            result[name.replace(".q_proj.", ".qkv_proj.")] = torch.cat(parts)
    return result
