"""Products in bfloat16: near enough, float32 outside, and taken back where a PMI shows them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from mapcap.networks import half_linears, half_scoring, language_models
from mapcap.networks.half_linears import HalfLinear, InBFloat16
from mapcap.networks.language_models import LanguageModel, for_scoring, load_language_model
from mapcap.networks.linears import OneDnnLinear
from mapcap.pmi import pmi_matrix
from tests.networks.test_packed_rows import bloom, llama, made, qwen3

CPU = torch.device("cpu")
SENTENCES = ["a brown dog on grass.", "a dog runs.", "two lemons.", "a bowl of lemons."]


@pytest.fixture
def plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch multiply where this machine's has no oneDNN."""
    monkeypatch.setattr(half_linears, "multiply", nn.functional.linear)
    monkeypatch.setattr(language_models, "multiplies_bfloat16", lambda device: True)


@pytest.fixture
def loaded() -> LanguageModel:
    return load_language_model("mini", device=CPU)


def layers_of(network: Any) -> set[type]:
    return {type(module) for module in network.modules()}


@pytest.mark.parametrize("kind", [nn.Linear, Conv1D, OneDnnLinear])
def test_a_layer_gives_float32_of_products_in_bfloat16(kind: Any, plainly: None) -> None:
    torch.manual_seed(0)
    plain: Any = Conv1D(5, 6) if kind is Conv1D else nn.Linear(6, 5)
    nn.init.normal_(plain.bias)
    layer = OneDnnLinear(plain.weight, plain.bias, transposed=False)
    half = HalfLinear(layer if kind is OneDnnLinear else plain)
    x = torch.randn(3, 9, 6)
    with torch.inference_mode():
        found, wanted, one = half(x), plain(x), half(x[:1, :1])
    assert found.dtype == torch.float32
    assert not torch.equal(found, wanted)
    # Eight bits of every factor, and of the sum.
    torch.testing.assert_close(found, wanted, rtol=0.02, atol=0.05)
    torch.testing.assert_close(one, wanted[:1, :1])  # a word at a time: as it was


@pytest.mark.usefixtures("plainly")
def test_the_head_stays_what_it_is_and_all_can_be_taken_back(loaded: LanguageModel) -> None:
    network: Any = loaded.model
    before = list(map(type, network.modules()))
    head = network.get_output_embeddings()
    layers = InBFloat16(network)
    assert HalfLinear in layers_of(network)
    assert network.get_output_embeddings() is head
    assert not isinstance(head, HalfLinear)
    layers.undo()
    assert list(map(type, network.modules())) == before


@pytest.mark.usefixtures("plainly")
def test_the_embedded_models_pmi_stays_within_a_hundredth(loaded: LanguageModel) -> None:
    plain = pmi_matrix(SENTENCES, loaded.model, loaded.tokenizer).matrix
    scoring = for_scoring(loaded, torch.bfloat16)
    assert HalfLinear in layers_of(scoring.model)
    half = pmi_matrix(SENTENCES, scoring.model, scoring.tokenizer).matrix
    assert 0 < np.linalg.norm(half - plain) < 0.01 * np.linalg.norm(plain)


@pytest.mark.usefixtures("plainly")
def test_a_network_whose_pmi_would_show_it_stays_in_float32(
    loaded: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(half_scoring, "_MOST", 1e-6)
    assert HalfLinear not in layers_of(for_scoring(loaded, torch.bfloat16).model)


@pytest.mark.usefixtures("plainly")
@pytest.mark.parametrize(("make", "packs"), [(llama, True), (qwen3, True), (bloom, False)])
def test_networks_of_any_kind_keep_to_the_bound(
    make: Any, packs: bool, lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights bear less than trained ones: of these PMI bfloat16 moves 0.6 to 2 %."""
    tried = LanguageModel(made(make), lm.tokenizer, "x", lm.bos_token_id)
    sentences, others = half_scoring._SENTENCES, ~np.eye(4, dtype=bool)
    plain = pmi_matrix(sentences, tried.model, lm.tokenizer, packed=packs).matrix[others]
    for most, kept in ((1e-4, False), (0.03, True)):
        monkeypatch.setattr(half_scoring, "_MOST", most)
        scoring = for_scoring(tried, torch.bfloat16)
        assert scoring.packed is packs
        assert (HalfLinear in layers_of(scoring.model)) is kept
        half = pmi_matrix(sentences, scoring.model, lm.tokenizer, packed=packs).matrix[others]
        moved = np.linalg.norm(half - plain) / np.linalg.norm(plain)
        assert (1e-4 < moved <= most) if kept else moved < 1e-6


def test_only_bfloat16_that_the_processor_multiplies(
    loaded: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []
    monkeypatch.setattr(language_models, "try_bfloat16", lambda *_: tried.append(True))
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    for_scoring(loaded, torch.bfloat16)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    for_scoring(loaded, None)
    for_scoring(loaded, torch.float16)
    assert not tried
    for_scoring(dataclasses.replace(loaded), torch.bfloat16)
    assert tried
