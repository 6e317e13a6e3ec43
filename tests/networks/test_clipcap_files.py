"""Files of ClipCap: their own GPT-2, old masks, int8, and what does not fit."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from mapcap.errors import UserError
from mapcap.networks.clipcap import ClipCap
from mapcap.networks.language_models import LanguageModel
from mapcap.networks.weights import load_weights, save_int8
from tests.networks.plain_clipcap import (
    MAX_TOKENS,
    PREFIX,
    WIDTH,
    Write,
    mlp_state,
    plain_greedy,
    plain_mlp,
    stops_of,
    transformer_state,
)


def with_old_buffers(model: GPT2LMHeadModel) -> dict[str, Tensor]:
    """The language model's part of a published file, masks and all."""
    state = {f"gpt.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    for n in range(model.config.n_layer):
        mask = torch.ones(1, 1, 96, 96, dtype=torch.uint8).tril()
        state[f"gpt.transformer.h.{n}.attn.bias"] = mask
        state[f"gpt.transformer.h.{n}.attn.masked_bias"] = torch.tensor(-10000.0)
    return state


def other_gpt2(gpt2: GPT2LMHeadModel) -> GPT2LMHeadModel:
    torch.manual_seed(11)
    return GPT2LMHeadModel(gpt2.config).eval()


@pytest.mark.parametrize("with_head", [True, False])
def test_the_files_own_gpt2_takes_the_place_of_the_language_models_weights(
    with_head: bool,
    lm: LanguageModel,
    gpt2: GPT2LMHeadModel,
    features: Tensor,
    published: Write,
) -> None:
    other = other_gpt2(gpt2)
    state = mlp_state() | with_old_buffers(other)
    if not with_head:
        del state["gpt.lm_head.weight"]
    clipcap = ClipCap.from_checkpoint(
        published(state), language_model=copy.deepcopy(gpt2), tokenizer=lm.tokenizer
    )
    captions = clipcap.generate(features[:5], MAX_TOKENS)
    for feature, caption in zip(features, captions, strict=False):
        prefix = plain_mlp(state, feature)
        assert list(caption.token_ids) == plain_greedy(other, prefix, stops_of(lm))


def test_features_are_normalised_for_a_clipcap_trained_so(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, published: Write
) -> None:
    state = mlp_state()
    as_they_come, of_unit_length = (
        ClipCap.from_checkpoint(
            published(state), language_model=gpt2, tokenizer=lm.tokenizer, normalise=normalise
        )
        for normalise in (False, True)
    )
    unit = features / features.norm(dim=1, keepdim=True)
    expected = as_they_come.generate(unit, MAX_TOKENS)
    assert of_unit_length.generate(features, MAX_TOKENS) == expected
    assert as_they_come.generate(features, MAX_TOKENS) != expected


@pytest.mark.parametrize(
    "extra",
    ["gpt.transformer.h.0.attn.more", "gpt.transformer.h.x.attn.bias", "gpt.transformer.bias"],
)
def test_only_the_old_masks_are_dropped(
    extra: str, lm: LanguageModel, gpt2: GPT2LMHeadModel, published: Write
) -> None:
    state = mlp_state() | with_old_buffers(gpt2) | {extra: torch.ones(1)}
    with pytest.raises(UserError, match=f"unexpected: {extra.removeprefix('gpt.')}"):
        ClipCap.from_checkpoint(published(state), language_model=gpt2, tokenizer=lm.tokenizer)


def test_a_gpt2_of_another_size_is_refused(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, published: Write
) -> None:
    state = mlp_state() | with_old_buffers(gpt2)
    del state["gpt.transformer.h.1.ln_1.bias"]
    with pytest.raises(UserError, match=r"missing: transformer\.h\.1\.ln_1\.bias"):
        ClipCap.from_checkpoint(published(state), language_model=gpt2, tokenizer=lm.tokenizer)


def test_int8_safetensors_hold_the_same_keys(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "clipcap.safetensors"
    save_int8(path, mlp_state())
    clipcap = ClipCap.from_checkpoint(path, language_model=gpt2, tokenizer=lm.tokenizer)
    assert clipcap.language_model is gpt2
    caption = clipcap.generate(features[:1], MAX_TOKENS)[0]
    prefix = plain_mlp(load_weights(path), features[0])
    assert list(caption.token_ids) == plain_greedy(gpt2, prefix, stops_of(lm))


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({}, "not a ClipCap checkpoint"),
        ({"clip_project.model.0.weight": torch.ones(3, 3)}, "none of ClipCap's"),
        (mlp_state() | {"clip_project.model.4.weight": torch.ones(1)}, "unexpected: model.4"),
        (mlp_state() | {"visual.proj": torch.ones(1)}, r"not visual\.proj"),
        (
            mlp_state() | {"clip_project.model.2.weight": torch.ones(PREFIX * WIDTH + 1, 20)},
            "another width than the language model's 32",
        ),
        (
            transformer_state() | {"clip_project.prefix_const": torch.ones(PREFIX, 16)},
            "another width than the language model's 32",
        ),
    ],
)
def test_files_that_do_not_fit_say_why(
    state: dict[str, Tensor],
    says: str,
    lm: LanguageModel,
    gpt2: GPT2LMHeadModel,
    published: Write,
) -> None:
    with pytest.raises(UserError, match=says):
        ClipCap.from_checkpoint(published(state), language_model=gpt2, tokenizer=lm.tokenizer)
