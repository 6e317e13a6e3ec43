"""What relevance and pooling need to know about a model's vision tower: how its output is read.

Three readings of a transformer: of one token, CLS; of a latent query that attends to
the tokens, an attention pool (SigLIP, PE-Core, CoCa), which counts as one more attention layer; of
the mean of the patches (CLIPA, ViTamin). Convolutional towers are read by their head
(`mapcap.networks.convolutional`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mapcap.errors import UserError
from mapcap.networks.convolutional import ConvolutionalTower, convolutional_tower

Reading = Literal["token", "pool", "mean"]

# By what open_clip and timm call them; an attention pool of open_clip's stands beside.
_NATIVE_READINGS: Final[Mapping[str, Reading]] = {"tok": "token", "avg": "mean"}
_TIMM_READINGS: Final[Mapping[str, Reading]] = {"token": "token", "map": "pool", "avg": "mean"}

WORKING_TOWERS = (
    "open_clip's VisionTransformer (ViT-*, CLIPA, CoCa) and timm VisionTransformer or Eva that end "
    "in a CLS token, in an attention pool with a single query or in the mean of the patches "
    "(EVA02, SigLIP, PE-Core, ViTamin, MobileCLIP-B); ResNet, ConvNeXt and FastViT (MobileCLIP-S)"
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
    """A vision transformer, and how its output is read from its tokens."""

    blocks: Sequence[nn.Module]
    grid: tuple[int, int]
    """Rows and columns of patches."""
    prefix: int
    """Tokens before the patches: CLS and any registers."""
    reading: Reading
    norm: Callable[[Tensor], Tensor]
    """Tokens (B, N, width) of a block, each by itself -> as the reading takes them."""
    head: Callable[[Tensor], Tensor]
    """What is read (R, width) -> features (R, D)."""
    pool: Any = None
    """The attention pool of the reading `pool`: tokens (B, N, width) -> (B[, queries], width)."""

    @property
    def depth(self) -> int:
        """Number of attention layers, a pool's among them."""
        return len(self.blocks) + (self.pool is not None)

    @property
    def last(self) -> Any:
        """The module of the last attention layer."""
        return self.blocks[-1] if self.pool is None else self.pool

    def queries(self, count: int) -> Tensor:
        """Return how much the output takes of each of the last layer's queries: (count,)."""
        first = 0 if count == 1 or self.reading != "mean" else self.prefix
        taken = torch.zeros(count)
        taken[first : None if self.reading == "mean" else 1] = 1
        return taken / taken.sum()

    def finish(self, output: Tensor) -> Tensor:
        """Features (B, D) of what the last layer gives: a token, all tokens, or a pool's output."""
        if self.reading == "pool":
            return self.head(output if output.ndim == 2 else output[:, 0])
        tokens = self.norm(output)
        queries = self.queries(tokens.shape[1]).to(tokens)
        return self.head(torch.einsum("n,bnw->bw", queries, tokens))

    def read(self, tokens: Tensor) -> Tensor:
        """Features (B, D) as the tower would read them of any block's tokens (B, N, width)."""
        return self.finish(tokens if self.pool is None else self.pool(self.norm(tokens)))


Tower = VisionTower | ConvolutionalTower


def vision_tower(visual: nn.Module) -> Tower:
    """Describe `model.visual`, or raise `UserError` naming it and the towers that work."""
    kind = type(visual).__name__
    tower: Tower | None = convolutional_tower(visual)
    if kind == "VisionTransformer":
        tower = _native(visual)
    elif kind == "TimmModel":
        kind = f"timm {type(visual.trunk).__name__}"
        tower = tower or _timm(visual)
    if tower is None:
        raise UserError(
            f"relevance and pooling do not know how the vision tower {kind}, as configured here, "
            f"is read. What works: {WORKING_TOWERS}. Choose such a --model."
        )
    return tower


def require_attention(tower: Tower) -> VisionTower:
    """Return a tower that has attention to read; raise `UserError` for one that has none."""
    if isinstance(tower, ConvolutionalTower):
        raise UserError(
            "the vision tower is made of convolutions and has no attention to read: use "
            "--relevance gradcam, value or occlusion"
        )
    return tower


def _native(visual: Any) -> VisionTower | None:
    def project(pooled: Tensor) -> Tensor:  # (R, width) -> (R, D)
        return pooled if visual.proj is None else pooled @ visual.proj

    def normed(pooled: Tensor) -> Tensor:  # (R, width) -> (R, D)
        return project(visual.ln_post(pooled))

    reading = _NATIVE_READINGS.get(visual.pool_type)
    if reading is None:
        return None
    blocks, grid = visual.transformer.resblocks, tuple(visual.grid_size)
    if visual.attn_pool is not None:
        # Of the pool's many queries the first is the output's; the others are for CoCa's texts.
        if visual.attn_pool_contrastive is not None or reading != "token":
            return None
        return VisionTower(blocks, grid, 1, "pool", nn.Identity(), normed, visual.attn_pool)
    if visual.final_ln_after_pool:
        return VisionTower(blocks, grid, 1, reading, nn.Identity(), normed)
    return VisionTower(blocks, grid, 1, reading, visual.ln_post, project)


def _timm(visual: Any) -> VisionTower | None:
    from timm.layers.attention_pool import AttentionPoolLatent
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    trunk = visual.trunk
    # Subclasses (distilled, for one) read their output from more than the CLS token.
    if type(trunk) not in (VisionTransformer, Eva):
        return None
    reading = _TIMM_READINGS.get(trunk.global_pool)
    pool: Any = trunk.attn_pool if reading == "pool" else None
    prefix = trunk.num_prefix_tokens
    # An Eva's pool attends to the tokens before the patches, too; others' as they are configured.
    prefixed = trunk.pool_include_prefix if isinstance(trunk, VisionTransformer) else bool(pool)
    if reading == "token" and trunk.cls_token is not None:
        followed = True
    elif reading == "pool":
        single = isinstance(pool, AttentionPoolLatent) and pool.latent_len == 1
        followed = single and pool.pool == "token" and (prefixed or not prefix)
    else:
        followed = reading == "mean" and not (prefixed and prefix)
    if reading is None or not followed:
        return None

    def head(pooled: Tensor) -> Tensor:  # (R, width) -> (R, D)
        features: Tensor = visual.head(trunk.head(trunk.head_drop(trunk.fc_norm(pooled))))
        return features

    # Not from the size of a patch: behind a stem of convolutions it says 1.
    grid = tuple(trunk.patch_embed.grid_size)
    return VisionTower(trunk.blocks, grid, prefix, reading, trunk.norm, head, pool)
