"""ClipCap's prefix networks, in the layout of the published checkpoints.

Mokady et al. 2021, "ClipCap: CLIP Prefix for Image Captioning" (arXiv 2111.09734). The names of the
modules are the names of the published keys; sizes are read off the tensors.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

_HEADS = 8
"""Attention heads of the published transformer mapper: the one size its tensors do not show."""


class MlpMapper(nn.Module):
    """Feature -> tanh layer -> prefix (512 -> 3840 -> 7680 in the published files)."""

    def __init__(self, features: int, hidden: int, prefix_length: int, width: int) -> None:
        super().__init__()
        self.features, self.prefix_length, self.width = features, prefix_length, width
        self.model = nn.Sequential(
            nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, prefix_length * width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D) to prefix embeddings (B, P, W)."""
        prefix: Tensor = self.model(features)  # (B, P * W)
        return prefix.view(-1, self.prefix_length, self.width)


class LinearMapper(nn.Linear):
    """Feature -> prefix in one layer: the published code's for long prefixes."""

    def __init__(self, features: int, prefix_length: int, width: int) -> None:
        super().__init__(features, prefix_length * width)
        self.features, self.prefix_length, self.width = features, prefix_length, width

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D) to prefix embeddings (B, P, W)."""
        return super().forward(features).view(-1, self.prefix_length, self.width)


class TransformerMapper(nn.Module):
    """Feature -> `clip_length` tokens beside learnt constants -> transformer -> the constants."""

    def __init__(
        self, features: int, clip_length: int, prefix_length: int, width: int, layers: int, mlp: int
    ) -> None:
        super().__init__()
        self.features, self.clip_length = features, clip_length
        self.prefix_length, self.width = prefix_length, width
        self.linear = nn.Linear(features, clip_length * width)
        self.prefix_const = nn.Parameter(torch.zeros(prefix_length, width))
        self.transformer = nn.Module()
        self.transformer.layers = nn.ModuleList(_Layer(width, mlp) for _ in range(layers))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, D) to prefix embeddings (B, P, W)."""
        tokens = self.linear(features).view(-1, self.clip_length, self.width)  # (B, C, W)
        constants = self.prefix_const.expand(len(features), -1, -1)  # (B, P, W)
        x = torch.cat((tokens, constants), dim=1)  # (B, C + P, W)
        for layer in cast(nn.ModuleList, self.transformer.layers):
            x = layer(x)
        return x[:, self.clip_length :]


class _Layer(nn.Module):
    def __init__(self, width: int, mlp: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = _Attention(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, mlp), "fc2": nn.Linear(mlp, width)})

    def forward(self, x: Tensor) -> Tensor:  # (B, T, W)
        x = x + self.attn(self.norm1(x))
        hidden = functional.relu(self.mlp["fc1"](self.norm2(x)))
        return x + cast(Tensor, self.mlp["fc2"](hidden))


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_queries = nn.Linear(width, width, bias=False)
        self.to_keys_values = nn.Linear(width, 2 * width, bias=False)
        self.project = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, W)
        batch, length, width = x.shape
        head = (batch, length, _HEADS, width // _HEADS)
        keys, values = self.to_keys_values(x).chunk(2, dim=-1)
        q, k, v = (y.view(head).transpose(1, 2) for y in (self.to_queries(x), keys, values))
        mixed = functional.scaled_dot_product_attention(q, k, v)  # (B, heads, T, W / heads)
        out: Tensor = self.project(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


Mapper = MlpMapper | LinearMapper | TransformerMapper


def build_mapper(state: Mapping[str, Tensor], width: int) -> Mapper:
    """Build the prefix network whose tensors `state` names (without `clip_project.`).

    `width` is the size of the language model's token embeddings. Weights are not loaded.

    Raises:
        ValueError: the tensors are of no such layout, or do not divide into prefixes of `width`.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    try:
        if "prefix_const" in shapes:
            prefix_length, prefix_width = shapes["prefix_const"]
            flat, features = shapes["linear.weight"]
            mlp = shapes["transformer.layers.0.mlp.fc1.weight"][0]
            layers = {name.split(".")[2] for name in shapes if name.startswith("transformer.")}
        elif "weight" in shapes:
            (flat, features), prefix_width = shapes["weight"], width
        else:
            hidden, features = shapes["model.0.weight"]
            flat = shapes["model.2.weight"][0]
            prefix_width = width
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError("the keys are of none of ClipCap's prefix networks") from error
    if prefix_width != width or flat % width:
        raise ValueError(f"it makes prefixes of another width than the language model's {width}")
    if "weight" in shapes:
        return LinearMapper(features, flat // width, width)
    if "prefix_const" not in shapes:
        return MlpMapper(features, hidden, flat // width, width)
    if width % _HEADS:
        raise ValueError(f"its width {width} does not divide into {_HEADS} heads")
    return TransformerMapper(features, flat // width, prefix_length, width, len(layers), mlp)
