"""Linear layers by oneDNN: the same numbers, and torch's own way wherever that serves better."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from mapcap.config import IndexConfig
from mapcap.networks import linears
from mapcap.networks.captioners import load_captioner
from mapcap.networks.captioners.clipcap import ClipCapCaptioner
from mapcap.networks.clip import load_clip
from mapcap.networks.language_models import load_language_model
from mapcap.networks.linears import OneDnnLinear, use_onednn

PAYS = linears._pays()


class Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.Linear(6, 5)
        self.bare = nn.Linear(6, 5, bias=False)
        self.gpt2 = Conv1D(5, 6)
        self.attention = nn.MultiheadAttention(6, 2)  # its projection is a subclass of Linear
        nn.init.normal_(self.gpt2.bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.plain(x), self.bare(x), self.gpt2(x)], dim=-1)


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> Layers:
    monkeypatch.setattr(linears, "_pays", lambda: True)
    torch.manual_seed(0)
    return Layers().requires_grad_(False)


@pytest.fixture
def multiplied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Note the shapes that oneDNN would get; torch multiplies where there is none."""
    shapes: list[tuple[int, ...]] = []
    real = linears.multiply

    def noted(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        shapes.append(tuple(x.shape))
        return real(x, weight, bias) if PAYS else nn.functional.linear(x, weight, bias)

    monkeypatch.setattr(linears, "multiply", noted)
    return shapes


def test_the_products_are_those_of_the_layers(
    layers: Layers, multiplied: list[tuple[int, ...]]
) -> None:
    x = torch.randn(2, 9, 6, generator=torch.Generator().manual_seed(1))
    state = {name: value.clone() for name, value in layers.state_dict().items()}
    before = layers(x)
    use_onednn(layers)
    with torch.inference_mode():
        after = layers(x)
    torch.testing.assert_close(after, before, rtol=1e-6, atol=1e-6)
    assert multiplied == [(2, 9, 6)] * 3
    assert not isinstance(layers.attention.out_proj, OneDnnLinear)
    layers.load_state_dict(state)  # files of weights fit as before


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (torch.ones(7, 6), torch.float32),  # a word at a time
        (torch.ones(16, 6, dtype=torch.bfloat16), torch.bfloat16),
        (torch.ones(16, 6, dtype=torch.float64), torch.float64),
    ],
)
def test_what_onednn_is_of_no_use_for_goes_torchs_own_way(
    layers: Layers, multiplied: list[tuple[int, ...]], x: Tensor, dtype: torch.dtype
) -> None:
    before = layers.to(dtype)(x)
    use_onednn(layers)
    with torch.inference_mode():
        torch.testing.assert_close(layers(x), before)
    assert not multiplied


def test_gradients_flow(layers: Layers, multiplied: list[tuple[int, ...]]) -> None:
    use_onednn(layers)
    x = torch.ones(16, 6, requires_grad=True)
    layers(x).sum().backward()
    assert x.grad is not None and x.grad.abs().min() > 0
    assert not multiplied


def test_shared_weights_stay_shared(layers: Layers) -> None:
    layers.bare.weight = layers.plain.weight
    use_onednn(layers)
    made: Any = layers
    assert made.plain.weight is made.bare.weight


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_nothing_changes_without_gain(monkeypatch: pytest.MonkeyPatch, capability: str) -> None:
    def broken(*_: Any) -> Tensor:
        raise NotImplementedError

    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: capability)
    monkeypatch.setattr(linears, "multiply", broken)
    layers = Layers()
    use_onednn(layers)
    assert type(layers.plain) is nn.Linear and type(layers.gpt2) is Conv1D


def test_captions_and_the_pmi_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linears, "_pays", lambda: True)
    cpu = torch.device("cpu")
    clip = load_clip("mini", None, None, device=cpu)
    captioner = load_captioner(IndexConfig(photos=""), clip, cpu)
    scoring = load_language_model("mini", device=cpu).model
    assert isinstance(captioner, ClipCapCaptioner)
    for network in (captioner.clipcap.language_model, scoring):
        assert any(isinstance(module, OneDnnLinear) for module in network.modules())
