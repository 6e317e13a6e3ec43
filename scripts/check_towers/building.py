"""Architectures of open_clip's table, small: two layers, random weights, at their own width."""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import open_clip
import timm
import torch

from mapcap.networks.quiet import quiet

_TEXT = {"context_length": 8, "vocab_size": 64, "width": 32, "heads": 2, "layers": 1}
_FAMILIES = {
    "siglip": "SigLIP", "pe_core": "PE-Core", "eva": "EVA", "vitamin": "ViTamin",
    "fastvit": "FastViT", "vit_base_mci": "MobileCLIP ViT", "convnext": "ConvNeXt",
}  # fmt: skip
"""By what stands in timm's name."""
_CONVOLUTIONS = ("convnext", "fastvit", "swin")
_PATCH = 16
"""Pixels of a patch where timm's name does not say it: behind stems of convolutions."""


def family_of(name: str) -> str:
    """Return the kind of an architecture's vision tower."""
    config = open_clip.get_model_config(name)
    vision = config["vision_cfg"]
    trunk = vision.get("timm_model_name")
    if trunk:
        named = (family for part, family in _FAMILIES.items() if part in trunk)
        return next(named, f"timm {trunk.split('_')[0]}")
    if "multimodal_cfg" in config:
        return "CoCa"
    if isinstance(vision["layers"], list):
        return "ResNet"
    return "CLIPA" if vision.get("pool_type") == "avg" else "ViT"


def build(name: str) -> Any:
    """Build an architecture small, with weights that matter everywhere."""
    config = copy.deepcopy(open_clip.get_model_config(name))
    vision = config["vision_cfg"]
    convolutions = isinstance(vision.get("layers"), list)
    if "layers" in vision and not vision.get("timm_model_name"):
        vision["layers"] = [1, 1, 1, 1] if convolutions else 2
        vision["image_size"] = 128 if convolutions else 4 * vision["patch_size"]
    elif not vision["timm_model_name"].startswith(_CONVOLUTIONS):
        patch = re.search(r"patch(\d+)", vision["timm_model_name"])
        vision["image_size"] = 4 * int(patch[1] if patch else _PATCH)
    vision.pop("output_tokens", None)  # they are for CoCa's decoder
    width = config["embed_dim"]
    with _small_trunks(vision["image_size"]), quiet():
        torch.manual_seed(0)
        # CoCa, too: its decoder is no part of a map, nor is that its features are normalised.
        model = open_clip.model.CustomTextCLIP(
            width, vision, _TEXT, quick_gelu=config.get("quick_gelu", False)
        )
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.visual.parameters():
            scale = 0.03 if parameter.ndim > 1 else 0.05
            parameter.add_(torch.randn(parameter.shape, generator=draw) * scale)
    return model.eval().requires_grad_(False)


@contextmanager
def _small_trunks(image_size: int) -> Iterator[None]:
    """Let timm build two layers (one block a stage), of transformers for images of this size."""
    create = timm.create_model

    def created(name: str, **options: Any) -> Any:
        if name.startswith("convnext"):
            return create(name, **options, depths=(1, 1, 1, 1))
        if name.startswith("fastvit"):
            whole: Any = create(name, device="meta", **options)
            return create(name, **options, layers=(1,) * len(whole.stages))
        if name.startswith("swin"):
            return create(name, **options, depths=(1, 1, 1, 1))
        return create(name, **options, depth=2, img_size=image_size)

    with mock.patch.object(timm, "create_model", created):
        yield
