"""Captions of ClipCap against a plain loop."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from mapcap.errors import UserError
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.networks.language_models import LanguageModel
from tests.networks.plain_clipcap import (
    FEATURES,
    MAX_TOKENS,
    WIDTH,
    Write,
    linear_state,
    lively,
    mlp_state,
    plain_greedy,
    plain_linear,
    plain_log_probability,
    plain_mlp,
    plain_transformer,
    stops_of,
    transformer_state,
)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("kind", ["mlp", "linear", "transformer"])
def test_captions_are_those_of_a_plain_loop(
    kind: str, lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, published: Write
) -> None:
    state, plain = {
        "mlp": (mlp_state(), plain_mlp),
        "linear": (linear_state(), plain_linear),
        "transformer": (transformer_state(), plain_transformer),
    }[kind]
    clipcap = ClipCap.from_checkpoint(published(state), language_model=gpt2, tokenizer=lm.tokenizer)
    captions = clipcap.generate(features, max_tokens=MAX_TOKENS)
    for feature, caption in zip(features, captions, strict=True):
        prefix = plain(state, feature)
        assert list(caption.token_ids) == plain_greedy(gpt2, prefix, stops_of(lm))
        assert caption.log_probability == pytest.approx(
            plain_log_probability(gpt2, prefix, caption.token_ids), abs=1e-4
        )
        assert caption.text == lm.tokenizer.decode(
            [i for i in caption.token_ids if i != lm.bos_token_id]
        )
    lengths = {len(caption.token_ids) for caption in captions}
    assert MAX_TOKENS in lengths or kind == "linear"
    if kind == "mlp":  # of the random networks, this one also ends captions early
        assert len(lengths) > 1


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("method", ["greedy", "beam", "nucleus"])
def test_a_caption_does_not_depend_on_the_batch(
    method: Any, lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, published: Write
) -> None:
    clipcap = ClipCap.from_checkpoint(
        published(mlp_state()), language_model=gpt2, tokenizer=lm.tokenizer
    )

    def said(batch: Tensor) -> list[tuple[int, ...]]:
        captions = clipcap.generate(batch, MAX_TOKENS, method=method, seed=7)
        return [caption.token_ids for caption in captions]

    together = said(features[:8])
    assert said(features[:3]) == together[:3]
    assert [said(row[None])[0] for row in features[:8]] == together
    assert said(features[:8].flip(0)) == together[::-1]


def test_a_caption_that_begins_with_the_stop_token_is_kept(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, published: Write
) -> None:
    dot = lm.tokenizer.encode(".")[0]
    clipcap = ClipCap.from_checkpoint(
        published(mlp_state()),
        language_model=lively(copy.deepcopy(gpt2), {dot: 5.0}),
        tokenizer=lm.tokenizer,
    )
    captions = clipcap.generate(features, MAX_TOKENS)
    empty = [caption for caption in captions if caption.token_ids == (dot,)]
    assert empty
    assert {caption.text for caption in empty} == {"."}
    assert all(caption.token_ids.count(dot) <= 1 for caption in captions)


def test_the_end_of_text_ends_a_caption_and_is_not_in_its_text(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, features: Tensor, published: Write
) -> None:
    clipcap = ClipCap.from_checkpoint(
        published(mlp_state()),
        language_model=lively(copy.deepcopy(gpt2), {lm.bos_token_id: 5.0}),
        tokenizer=lm.tokenizer,
    )
    ended = [
        caption
        for caption in clipcap.generate(features, MAX_TOKENS)
        if lm.bos_token_id in caption.token_ids
    ]
    assert ended
    for caption in ended:
        assert caption.token_ids.index(lm.bos_token_id) == len(caption.token_ids) - 1
        assert "endoftext" not in caption.text


@pytest.fixture
def clipcap(lm: LanguageModel, gpt2: GPT2LMHeadModel, published: Write) -> ClipCap:
    return ClipCap.from_checkpoint(
        published(mlp_state()), language_model=gpt2, tokenizer=lm.tokenizer
    )


def test_no_features_make_no_captions(clipcap: ClipCap) -> None:
    assert clipcap.generate(torch.empty(0, FEATURES)) == []


def test_a_stop_of_several_tokens_is_refused(clipcap: ClipCap) -> None:
    with pytest.raises(UserError, match=r"'two dogs' is .* tokens"):
        clipcap.generate(torch.zeros(1, FEATURES), stop="two dogs")


def test_features_of_another_clip_are_refused(clipcap: ClipCap) -> None:
    with pytest.raises(UserError, match=r"features of 12 numbers and got \(1, 13\)"):
        clipcap.generate(torch.zeros(1, FEATURES + 1))


def test_a_caption_ends_at_the_language_models_last_position(
    clipcap: ClipCap, features: Tensor
) -> None:
    captions = clipcap.generate(features[:3], max_tokens=1000, stop="q")  # 96 positions, prefix 5
    assert max(len(caption.token_ids) for caption in captions) == 92
    with pytest.raises(ValueError, match="max_tokens is at least 1"):
        clipcap.generate(features, max_tokens=0)


def test_a_prefix_longer_than_the_language_model_is_refused(
    lm: LanguageModel, gpt2: GPT2LMHeadModel, published: Write
) -> None:
    state = mlp_state()
    state["clip_project.model.2.weight"] = torch.randn(97 * WIDTH, 20)
    state["clip_project.model.2.bias"] = torch.randn(97 * WIDTH)
    clipcap = ClipCap.from_checkpoint(published(state), language_model=gpt2, tokenizer=lm.tokenizer)
    with pytest.raises(UserError, match=r"prefix of 97 does not fit .* 96 positions.*--captioner"):
        clipcap.generate(torch.zeros(1, FEATURES))


def test_the_published_sizes_fit(
    gpt2_tokenizer: PreTrainedTokenizerFast,
    make_gpt2: Callable[..., GPT2LMHeadModel],
    published: Write,
) -> None:
    """The published MLP (512 -> 3840 -> 10 x 768) with GPT-2's true vocabulary and stop token."""
    model = lively(make_gpt2(50257, width=768, n_inner=64), {13: 3.0})
    sizes = {"0": (3840, 512), "2": (7680, 3840)}
    torch.manual_seed(6)
    state = {}
    for number, (rows, columns) in sizes.items():
        state[f"clip_project.model.{number}.weight"] = torch.randn(rows, columns) / columns**0.5
        state[f"clip_project.model.{number}.bias"] = torch.zeros(rows)
    clipcap = ClipCap.from_checkpoint(
        published(state), language_model=model, tokenizer=gpt2_tokenizer
    )
    captions = clipcap.generate(torch.randn(6, 512), max_tokens=8)
    stopped = [caption for caption in captions if caption.token_ids[-1] == 13]
    assert stopped
    assert all(caption.text.endswith(".") for caption in stopped)
    assert all(isinstance(caption, Caption) for caption in captions)
