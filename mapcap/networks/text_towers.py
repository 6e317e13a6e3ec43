"""What the relevance of a text's tokens needs to know about a model's text tower."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.errors import UserError


@dataclass(frozen=True)
class TextTower:
    """A text transformer: its depth, and where a text's output is read and ends."""

    depth: int
    read: Callable[[Tensor], Tensor]
    """Token ids (B, L) -> weights (B, N) of the rows read; N is L + 1 behind a class token."""
    end: Callable[[Tensor], Tensor]
    """Token ids (B, L) -> position (B,) of the end-of-text token, or of the first padding."""


def text_tower(model: Any) -> TextTower:
    """Describe a model's text tower, or raise `UserError` naming it and the towers that work."""
    text = getattr(model, "text", None)
    if text is None:  # open_clip's CLIP keeps the text tower's parts as its own
        tower = _causal(model.transformer, model.text_pool_type, model.text_eos_id)
        kind = f"text transformer with pool_type '{model.text_pool_type}'"
    elif type(text).__name__ == "TextTransformer":
        pool = "class" if text.cls_emb is not None else text.pool_type
        tower = _causal(text.transformer, pool, text.eos_id)
        kind = f"TextTransformer with pool_type '{pool}'"
    else:
        tower = _hugging_face(text) if type(text).__name__ == "HFTextEncoder" else None
        kind = type(getattr(text, "pooler", text)).__name__
    if tower is None:
        raise UserError(
            f"token relevance does not know how {kind} reads a text. What works: open_clip's text "
            "transformers read at the end-of-text token or the last one (pool_type 'argmax', 'eos' "
            "or 'last') and Hugging Face encoders with a mean or CLS pooler. Choose such a --model."
        )
    return tower


def _causal(transformer: Any, pool_type: str, eos_id: int) -> TextTower | None:
    ends: dict[str, Callable[[Tensor], Tensor]] = {
        "argmax": _largest,
        "class": _largest,
        "eos": partial(_first, eos_id),
        "last": _padding,
    }
    if pool_type not in ends:
        return None
    end = ends[pool_type]

    def read(tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        if pool_type == "class":  # CoCa's, behind the text's tokens
            return F.one_hot(torch.full_like(tokens[:, 0], length), length + 1)
        at = torch.full_like(tokens[:, 0], length - 1) if pool_type == "last" else end(tokens)
        return F.one_hot(at, length)

    return TextTower(len(transformer.resblocks), read, end)


def _largest(tokens: Tensor) -> Tensor:
    # In OpenAI's vocabulary end-of-text is the largest id, and open_clip looks for just that.
    return tokens.argmax(-1)


def _first(eos_id: int, tokens: Tensor) -> Tensor:
    return (tokens == eos_id).int().argmax(-1)


def _padding(tokens: Tensor) -> Tensor:
    """Where the last token begins to repeat itself; behind the last one if it does not."""
    repeats = (tokens == tokens[:, -1:]).int().flip(1).cumprod(1).sum(1)
    return tokens.shape[1] - repeats * (repeats > 1)


def _hugging_face(text: Any) -> TextTower | None:
    pooler = type(text.pooler).__name__
    if pooler not in ("MeanPooler", "ClsPooler", "ClsLastHiddenStatePooler"):
        return None

    def attended(tokens: Tensor) -> Tensor:
        mask: Tensor = tokens != text.config.pad_token_id
        return mask.float()

    def end(tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        return (attended(tokens) * positions).argmax(-1)

    def read(tokens: Tensor) -> Tensor:
        if pooler == "MeanPooler":
            mask = attended(tokens)
            return mask / mask.sum(-1, keepdim=True)
        return F.one_hot(torch.zeros_like(tokens[:, 0]), tokens.shape[1])

    return TextTower(text.config.num_hidden_layers, read, end)


def without_padding(model: Any, tokens: Tensor) -> Tensor:
    """Cut columns of padding that no text of a batch (B, L) needs, where none is attended to.

    Texts of a few words fill a tenth of the rows; most of the work would go into padding.
    """
    text: Any = getattr(model, "text", None)
    if type(text).__name__ != "HFTextEncoder":  # others have positions for whole rows only
        return tokens
    used = (tokens != text.config.pad_token_id).any(0).nonzero()
    return tokens[:, : int(used.max()) + 1] if len(used) else tokens
