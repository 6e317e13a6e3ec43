import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from mapcap.errors import UserError
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.networks.language_models import LanguageModel
from mapcap.networks.weights import load_weights, save_int8

FEATURES, PREFIX, WIDTH = 12, 5, 32
MAX_TOKENS = 12
Write = Callable[..., Path]


def mlp_state(hidden: int = 20, seed: int = 3) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {
        "clip_project.model.0.weight": torch.randn(hidden, FEATURES),
        "clip_project.model.0.bias": torch.randn(hidden),
        "clip_project.model.2.weight": torch.randn(PREFIX * WIDTH, hidden),
        "clip_project.model.2.bias": torch.randn(PREFIX * WIDTH),
    }


def linear_state() -> dict[str, Tensor]:
    torch.manual_seed(5)
    return {
        "clip_project.weight": torch.randn(PREFIX * WIDTH, FEATURES),
        "clip_project.bias": torch.randn(PREFIX * WIDTH),
    }


def plain_linear(state: dict[str, Tensor], feature: Tensor) -> Tensor:
    flat = state["clip_project.weight"] @ feature + state["clip_project.bias"]
    return flat.reshape(PREFIX, WIDTH)


def transformer_state(layers: int = 3, clip_length: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(4)
    state = {
        "linear.weight": torch.randn(clip_length * WIDTH, FEATURES),
        "linear.bias": torch.randn(clip_length * WIDTH),
        "prefix_const": torch.randn(PREFIX, WIDTH),
    }
    for n in range(layers):
        layer = f"transformer.layers.{n}."
        for norm in ("norm1", "norm2"):
            state[f"{layer}{norm}.weight"] = 1 + torch.randn(WIDTH) / 10
            state[f"{layer}{norm}.bias"] = torch.randn(WIDTH)
        state[f"{layer}attn.to_queries.weight"] = torch.randn(WIDTH, WIDTH) / 4
        state[f"{layer}attn.to_keys_values.weight"] = torch.randn(2 * WIDTH, WIDTH) / 4
        state[f"{layer}attn.project.weight"] = torch.randn(WIDTH, WIDTH) / 4
        state[f"{layer}attn.project.bias"] = torch.randn(WIDTH)
        state[f"{layer}mlp.fc1.weight"] = torch.randn(2 * WIDTH, WIDTH) / 4
        state[f"{layer}mlp.fc1.bias"] = torch.randn(2 * WIDTH)
        state[f"{layer}mlp.fc2.weight"] = torch.randn(WIDTH, 2 * WIDTH) / 4
        state[f"{layer}mlp.fc2.bias"] = torch.randn(WIDTH)
    return {f"clip_project.{name}": tensor for name, tensor in state.items()}


def plain_mlp(state: dict[str, Tensor], feature: Tensor) -> Tensor:
    first, last = (
        (state[f"clip_project.model.{n}.weight"], state[f"clip_project.model.{n}.bias"])
        for n in (0, 2)
    )
    hidden = torch.tanh(first[0] @ feature + first[1])
    return (last[0] @ hidden + last[1]).reshape(PREFIX, WIDTH)


def plain_transformer(state: dict[str, Tensor], feature: Tensor) -> Tensor:
    """Token by token, head by head, as the paper's mapping network is drawn."""
    s = {name.removeprefix("clip_project."): tensor for name, tensor in state.items()}
    tokens = (s["linear.weight"] @ feature + s["linear.bias"]).reshape(-1, WIDTH)
    x = torch.cat((tokens, s["prefix_const"]))
    layers = len([name for name in s if name.endswith("to_queries.weight")])
    size = WIDTH // 8

    def norm(x: Tensor, name: str) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * s[f"{name}.weight"] + s[f"{name}.bias"]

    for n in range(layers):
        p = f"transformer.layers.{n}."
        y = norm(x, f"{p}norm1")
        queries = y @ s[f"{p}attn.to_queries.weight"].T
        both = y @ s[f"{p}attn.to_keys_values.weight"].T
        heads = []
        for head in range(8):
            part = slice(head * size, (head + 1) * size)
            keys, values = both[:, :WIDTH][:, part], both[:, WIDTH:][:, part]
            attention = (queries[:, part] @ keys.T / size**0.5).softmax(-1)
            heads.append(attention @ values)
        x = x + torch.cat(heads, 1) @ s[f"{p}attn.project.weight"].T + s[f"{p}attn.project.bias"]
        y = norm(x, f"{p}norm2") @ s[f"{p}mlp.fc1.weight"].T + s[f"{p}mlp.fc1.bias"]
        x = x + y.clamp(min=0) @ s[f"{p}mlp.fc2.weight"].T + s[f"{p}mlp.fc2.bias"]
    return x[-PREFIX:]


@torch.inference_mode()
def plain_greedy(
    model: GPT2LMHeadModel, prefix: Tensor, stops: set[int], max_tokens: int = MAX_TOKENS
) -> list[int]:
    """One caption, the whole text through the network again for every token."""
    ids: list[int] = []
    embeddings = prefix
    while len(ids) < max_tokens:
        ids.append(int(model(inputs_embeds=embeddings[None]).logits[0, -1].argmax()))
        if ids[-1] in stops:
            break
        embeddings = torch.cat((embeddings, model.transformer.wte.weight[ids[-1]][None]))
    return ids


@torch.inference_mode()
def plain_log_probability(model: GPT2LMHeadModel, prefix: Tensor, ids: tuple[int, ...]) -> float:
    whole = torch.cat((prefix, model.transformer.wte.weight[list(ids)]))
    log_p = model(inputs_embeds=whole[None]).logits[0].double().log_softmax(-1)
    return sum(log_p[PREFIX - 1 + i, token].item() for i, token in enumerate(ids)) / len(ids)


def lively(model: GPT2LMHeadModel, tokens: dict[int, float]) -> GPT2LMHeadModel:
    """Make some tokens likelier, so that captions of random weights stop now and then."""
    with torch.no_grad():
        for token, factor in tokens.items():
            model.transformer.wte.weight[token] *= factor
    return model


@pytest.fixture(scope="module")
def gpt2(lm: LanguageModel) -> GPT2LMHeadModel:
    model: Any = copy.deepcopy(lm.model)
    dot = lm.tokenizer.encode(".")[0]
    return lively(model, {dot: 2.0})


@pytest.fixture
def features() -> Tensor:
    torch.manual_seed(5)
    return torch.randn(24, FEATURES) * 3  # far from unit length: nobody may normalise them


def stops_of(lm: LanguageModel) -> set[int]:
    return {lm.tokenizer.encode(".")[0], lm.bos_token_id}


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
    if method != "nucleus":  # a row's draws belong to its place
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
