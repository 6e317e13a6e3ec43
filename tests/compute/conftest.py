"""Tiny CLIP models with random weights: real open_clip, timm and Hugging Face code, no download."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from open_clip.hf_model import HFTextEncoder
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.timm_model import TimmModel
from timm.models.convnext import ConvNeXt
from timm.models.eva import Eva
from timm.models.fastvit import FastVit
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from transformers import BertConfig

VISION = {"image_size": 32, "patch_size": 8, "width": 32, "layers": 3, "head_width": 8}
TEXT = {"context_length": 9, "vocab_size": 60, "width": 32, "heads": 2, "layers": 3}
FEATURES = 24


def randomise(model: nn.Module) -> nn.Module:
    """Weights that matter everywhere: attention far from uniform, no zero bias, no unit norm."""
    generator = torch.Generator().manual_seed(3)
    for name, parameter in model.named_parameters():
        if name == "logit_scale":
            continue
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = parameter.ndim == 1 and name.endswith("weight")
        fan_in = parameter.shape[-1] if parameter.ndim > 1 else 16
        parameter.data = 1 + 0.2 * noise if is_norm else 1.5 * noise * fan_in**-0.5
    return model.eval()


def timm_tower(trunk: Any) -> TimmModel:
    tower = TimmModel("vit_tiny_patch16_224", FEATURES, pool="token", proj="linear")
    tower.trunk = trunk
    tower.head = nn.Sequential(nn.Linear(trunk.num_features, FEATURES, bias=False))
    return tower


def native(vision: Any = None, text: Any = None, **options: Any) -> nn.Module:
    return CLIP(FEATURES, VISION | (vision or {}), TEXT | (text or {}), **options)


def with_timm() -> nn.Module:
    """Two registers and normalised queries and keys, as the newer ViTs have."""
    model = CustomTextCLIP(FEATURES, VISION, TEXT)
    trunk = VisionTransformer(
        img_size=32, patch_size=8, embed_dim=32, depth=3, num_heads=4, num_classes=0,
        reg_tokens=2, qk_norm=True, init_values=0.5,
    )  # fmt: skip
    model.visual = timm_tower(trunk)
    return model


def with_timm_reading(pool: str, kind: type[nn.Module] = VisionTransformer) -> nn.Module:
    """A timm tower that ends in an attention pool (SigLIP, PE-Core) or in a mean (ViTamin)."""
    model = CustomTextCLIP(FEATURES, VISION, TEXT)
    shape = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4}
    own: dict[str, Any] = {"class_token": False}
    if kind is Eva:  # with a class token among the keys of its pool
        own = {"use_rot_pos_emb": True, "ref_feat_shape": (4, 4), "attn_pool_num_heads": 4}
    trunk = kind(num_classes=0, global_pool=pool, **shape, **own)
    model.visual = timm_tower(trunk)
    return model


def with_convolutions(trunk: nn.Module) -> nn.Module:
    """A timm trunk of 4 x 4 cells whose head takes their mean (ConvNeXt, MobileCLIP-S)."""
    model = CustomTextCLIP(FEATURES, VISION, TEXT)
    model.visual = timm_tower(trunk)
    model.visual.image_size = (128, 128)
    return model


def with_fastvit() -> nn.Module:
    """Attention among the cells of the last stage, and a last convolution behind it."""
    mixers = ("repmixer", "repmixer", "repmixer", "attention")
    trunk = FastVit(
        layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32), token_mixers=mixers, num_classes=0
    )
    return with_convolutions(trunk)


def with_eva() -> nn.Module:
    """Rotary positions and a gated MLP, as the EVA02 CLIPs have."""
    model = CustomTextCLIP(FEATURES, VISION, TEXT)
    trunk = Eva(
        img_size=32, patch_size=8, embed_dim=32, depth=3, num_heads=4, num_classes=0,
        global_pool="token", use_rot_pos_emb=True, swiglu_mlp=True, scale_mlp=True,
        ref_feat_shape=(4, 4),
    )  # fmt: skip
    model.visual = timm_tower(trunk)
    return model


def with_bert(pooler: str = "mean_pooler") -> nn.Module:
    model = CustomTextCLIP(FEATURES, VISION, TEXT)
    config = BertConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=48, max_position_embeddings=9, pad_token_id=0,
    )  # fmt: skip
    model.text = HFTextEncoder(
        "unused", FEATURES, config=config, pooler_type=pooler, proj_type="linear"
    )
    return model


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "native": native,
    "quickgelu": lambda: native(quick_gelu=True),
    "timm": with_timm,
    "eva": with_eva,
    "bert": with_bert,
    "bert-cls": lambda: with_bert("cls_pooler"),
    "eos": lambda: native(text={"pool_type": "eos", "eos_id": 57}),
    "custom-text": lambda: CustomTextCLIP(FEATURES, VISION, TEXT),
    "mean": lambda: native(vision={"pool_type": "avg"}),
    "clipa": lambda: native(vision={"pool_type": "avg", "final_ln_after_pool": True}),
    "vitamin": lambda: with_timm_reading("avg"),
    "siglip": lambda: with_timm_reading("map"),
    "pe-core": lambda: with_timm_reading("map", Eva),
    "coca": lambda: native(
        vision={"attentional_pool": True, "attn_pooler_queries": 5, "attn_pooler_heads": 4}
    ),
    "coca-cascade": lambda: native(vision={"attentional_pool": "cascade", "attn_pooler_heads": 4}),
    "resnet": lambda: native(
        vision={"layers": [1, 2, 1, 1], "width": 8, "head_width": 32, "image_size": 128}
    ),
    "convnext": lambda: with_convolutions(
        ConvNeXt(depths=(1, 2, 1, 1), dims=(8, 16, 24, 32), num_classes=0)
    ),
    "fastvit": with_fastvit,
    "last": lambda: native(text={"pool_type": "last"}),
    "first": lambda: native(text={"pool_type": "first"}),
}


@pytest.fixture
def build() -> Callable[[str], nn.Module]:
    """Build one of the tiny models by name, in eval mode, with the same weights each time."""

    def built(name: str) -> nn.Module:
        torch.manual_seed(0)
        return randomise(BUILDERS[name]())

    return built


@pytest.fixture
def images() -> Tensor:
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def texts() -> Tensor:
    """Five normalised text features (K, D)."""
    features = torch.randn(5, FEATURES, generator=torch.Generator().manual_seed(2))
    return nn.functional.normalize(features, dim=-1)


@pytest.fixture
def tokens() -> Tensor:
    """Four texts of different length: 58 starts, 59 (the largest id) ends, 0 pads."""
    return torch.tensor(
        [
            [58, 5, 6, 59, 0, 0, 0, 0, 0],
            [58, 7, 59, 0, 0, 0, 0, 0, 0],
            [58, 9, 8, 7, 6, 5, 4, 3, 59],
            [58, 11, 12, 13, 59, 0, 0, 0, 0],
        ]
    )
