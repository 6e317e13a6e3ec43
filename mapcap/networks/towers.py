"""What relevance and pooling need to know about a model's vision and text towers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.errors import UserError

WORKING_TOWERS = (
    "open_clip's VisionTransformer with pool_type 'tok' (the ViT-* models) and timm "
    "VisionTransformer or Eva with a CLS token and token pooling (EVA02-*)"
)


class ClipModel(Protocol):
    """The part of open_clip's CLIP and CustomTextCLIP that MapCap calls."""

    visual: Any
    logit_scale: Tensor

    def encode_image(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W) to features (B, D), not normalised."""

    def encode_text(self, text: Tensor) -> Tensor:
        """Token ids (B, L) to features (B, D), not normalised."""


def as_input(visual: nn.Module, images: Tensor) -> Tensor:
    """Images on the device and in the dtype of the tower's first convolution.

    Half-precision models keep some parameters in float32, so the first parameter will not do.
    """
    weight = next(m.weight for m in visual.modules() if isinstance(m, nn.Conv2d))
    return images.to(weight.device, weight.dtype)


def cosine_logits(model: ClipModel, image_features: Tensor, text_features: Tensor) -> Tensor:
    """Logits exp(logit_scale) * cosine without bias: (B, D), (K, D) to (B, K), float32 or wider.

    Neither side needs to be normalised; gradients flow to both, and not to the scale.
    """
    wide = torch.promote_types(image_features.dtype, torch.float32)
    images = F.normalize(image_features.to(wide), dim=-1)
    texts = F.normalize(text_features.to(images.device, wide), dim=-1)
    return model.logit_scale.detach().to(wide).exp() * (images @ texts.T)


@dataclass(frozen=True)
class VisionTower:
    """A vision transformer whose output is read from its CLS token, the first of the sequence."""

    blocks: Sequence[nn.Module]
    patch_size: tuple[int, int]  # rows, columns in pixels
    prefix: int  # tokens before the patches: CLS and any registers
    head: Callable[[Tensor], Tensor]  # last block's CLS token (R, 1, width) -> features (R, D)

    def grid(self, images: Tensor) -> tuple[int, int]:
        """Patch rows and columns of images (B, 3, H, W)."""
        height, width = images.shape[-2:]
        return height // self.patch_size[0], width // self.patch_size[1]


def vision_tower(visual: nn.Module) -> VisionTower:
    """Describe `model.visual`, or raise `UserError` naming it and the towers that work."""
    kind = type(visual).__name__
    if kind == "VisionTransformer":
        tower = _native(visual)
    elif kind == "TimmModel":
        kind = f"timm {type(visual.trunk).__name__}"
        tower = _timm(visual)
    else:
        tower = None
    if tower is None:
        raise UserError(
            f"relevance and pooling need a vision tower that is read from its CLS token; {kind} as "
            f"configured here is not. What works: {WORKING_TOWERS}. Choose such a --model."
        )
    return tower


def _native(visual: Any) -> VisionTower | None:
    if visual.pool_type != "tok" or visual.attn_pool is not None:
        return None

    def head(cls_token: Tensor) -> Tensor:  # (R, 1, width) -> (R, D)
        pooled = visual.ln_post(cls_token[:, 0])
        features: Tensor = pooled if visual.proj is None else pooled @ visual.proj
        return features

    return VisionTower(visual.transformer.resblocks, tuple(visual.patch_size), prefix=1, head=head)


def _timm(visual: Any) -> VisionTower | None:
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    trunk = visual.trunk
    # Subclasses (distilled, for one) read their output from more than the CLS token.
    if type(trunk) not in (VisionTransformer, Eva):
        return None
    if trunk.global_pool != "token" or trunk.cls_token is None:
        return None

    def head(cls_token: Tensor) -> Tensor:  # (R, 1, width) -> (R, D)
        features: Tensor = visual.head(trunk.forward_head(trunk.norm(cls_token)))
        return features

    return VisionTower(
        trunk.blocks, tuple(trunk.patch_embed.patch_size), trunk.num_prefix_tokens, head
    )


@dataclass(frozen=True)
class TextTower:
    """A text transformer: its depth, and where a text's output is read and ends."""

    depth: int
    read: Callable[[Tensor], Tensor]  # token ids (B, L) -> weights (B, L) of the rows that are read
    end: Callable[[Tensor], Tensor]  # token ids (B, L) -> position (B,) of the end-of-text token


def text_tower(model: Any) -> TextTower:
    """Describe a model's text tower, or raise `UserError` naming it and the towers that work."""
    text = getattr(model, "text", None)
    if text is None:  # open_clip's CLIP keeps the text tower's parts as its own
        tower = _causal(model.transformer, model.text_pool_type, model.text_eos_id)
        kind = f"text transformer with pool_type '{model.text_pool_type}'"
    elif type(text).__name__ == "TextTransformer":
        pool = "last" if text.cls_emb is not None else text.pool_type
        tower = _causal(text.transformer, pool, text.eos_id)
        kind = f"TextTransformer with pool_type '{pool}'"
    else:
        tower = _hugging_face(text) if type(text).__name__ == "HFTextEncoder" else None
        kind = type(getattr(text, "pooler", text)).__name__
    if tower is None:
        raise UserError(
            f"token relevance does not know how {kind} reads a text. What works: open_clip's text "
            "transformers read at the end-of-text token (pool_type 'argmax' or 'eos') and Hugging "
            "Face encoders with a mean or CLS pooler. Choose such a --model."
        )
    return tower


def _causal(transformer: Any, pool_type: str, eos_id: int) -> TextTower | None:
    if pool_type not in ("argmax", "eos"):
        return None

    def end(tokens: Tensor) -> Tensor:
        # In OpenAI's vocabulary end-of-text is the largest id, and open_clip looks for just that.
        marked = tokens if pool_type == "argmax" else (tokens == eos_id).int()
        return marked.argmax(-1)

    def read(tokens: Tensor) -> Tensor:
        return F.one_hot(end(tokens), tokens.shape[1])

    return TextTower(len(transformer.resblocks), read, end)


def _hugging_face(text: Any) -> TextTower | None:
    pooler = type(text.pooler).__name__
    if pooler not in ("MeanPooler", "ClsPooler", "ClsLastHiddenStatePooler"):
        return None

    def attended(tokens: Tensor) -> Tensor:
        mask: Tensor = tokens != text.config.pad_token_id
        return mask.float()

    def end(tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        return (attended(tokens) * positions).argmax(-1)

    def read(tokens: Tensor) -> Tensor:
        if pooler == "MeanPooler":
            mask = attended(tokens)
            return mask / mask.sum(-1, keepdim=True)
        return F.one_hot(torch.zeros_like(tokens[:, 0]), tokens.shape[1])

    return TextTower(text.config.num_hidden_layers, read, end)
