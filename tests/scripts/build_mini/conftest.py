"""A small vision transformer of open_clip's own, with random weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from open_clip.transformer import LayerNorm, VisionTransformer

SIZE, PATCH, WIDTH, LAYERS = 32, 8, 32, 5


def small_vit(layers: int = LAYERS) -> Any:
    torch.manual_seed(layers)
    vit = VisionTransformer(
        image_size=SIZE,
        patch_size=PATCH,
        width=WIDTH,
        layers=layers,
        heads=4,
        mlp_ratio=2.0,
        ls_init_value=0.5,
        output_dim=WIDTH,
        no_ln_pre=True,
        pool_type="tok",
        norm_layer=partial(LayerNorm, eps=1e-6),
    )
    for parameter in vit.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return vit.eval().requires_grad_(False)


@pytest.fixture
def vit() -> Any:
    return small_vit()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def make_vit() -> Callable[[int], Any]:
    """The same, with as many layers as asked for."""
    return small_vit
