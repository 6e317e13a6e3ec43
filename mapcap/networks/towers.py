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
    grid: tuple[int, int]  # rows, columns of patches
    prefix: int  # tokens before the patches: CLS and any registers
    head: Callable[[Tensor], Tensor]  # last block's CLS token (R, 1, width) -> features (R, D)


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

    return VisionTower(visual.transformer.resblocks, tuple(visual.grid_size), prefix=1, head=head)


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
        # Not from the size of a patch: behind a stem of convolutions it says 1.
        trunk.blocks,
        tuple(trunk.patch_embed.grid_size),
        trunk.num_prefix_tokens,
        head,
    )
