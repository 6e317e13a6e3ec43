"""ClipCap computed plainly: random weights in the published layout, one feature at a time."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from mapcap.networks.language_models import LanguageModel

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
    """The published keys of a linear mapper, with random weights."""
    torch.manual_seed(5)
    return {
        "clip_project.weight": torch.randn(PREFIX * WIDTH, FEATURES),
        "clip_project.bias": torch.randn(PREFIX * WIDTH),
    }


def plain_linear(state: dict[str, Tensor], feature: Tensor) -> Tensor:
    """The prefix of one feature, by hand."""
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


def stops_of(lm: LanguageModel) -> set[int]:
    return {lm.tokenizer.encode(".")[0], lm.bos_token_id}
