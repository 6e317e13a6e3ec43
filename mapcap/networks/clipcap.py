"""ClipCap: a prefix network and a GPT-2 that turn CLIP features into captions."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from mapcap.errors import UserError
from mapcap.networks.decoding import Pick, Tokens, beam_search, decode, nucleus, pick_best, room
from mapcap.networks.prefix_networks import Mapper, build_mapper
from mapcap.networks.weights import fill, load_weights

Method = Literal["greedy", "beam", "nucleus"]

_MOST_TOKENS, _STOP = 67, "."
"""What the published code stops at."""
_PROJECT = "clip_project."
_GPT = "gpt."
_OLD_BUFFERS = re.compile(r"transformer\.h\.\d+\.attn\.(bias|masked_bias)")
"""Causal masks that older transformers kept among the weights; they hold nothing learnt."""


@dataclass(frozen=True)
class Caption:
    """One caption: its text as decoded, its tokens, and their mean log-probability (natural log).

    The stop token is part of all three; an end-of-text token is not part of the text. The mean is
    over all tokens, under the captioner's own distribution (no temperature).
    """

    text: str
    token_ids: tuple[int, ...]
    log_probability: float


@dataclass(frozen=True)
class ClipCap:
    """A captioner for CLIP features (Mokady et al. 2021, arXiv 2111.09734)."""

    mapper: Mapper
    language_model: PreTrainedModel
    tokenizer: Tokenizer
    normalise: bool = False
    """Whether the prefix network was trained on features of unit length."""

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        language_model: PreTrainedModel,
        tokenizer: Tokenizer,
        normalise: bool = False,
    ) -> "ClipCap":
        """Load a checkpoint with the published keys, from `.pt` or safetensors (int8 or not).

        `clip_project.*` is the prefix network (MLP, linear or transformer, sizes from the tensors);
        `gpt.*`, if there, takes the place of `language_model`'s weights, less the attention masks
        that transformers no longer keeps. Both run on the language model's device, in its dtype.

        Raises:
            UserError: the file cannot be read, or fits neither ClipCap nor the language model.
        """
        state = load_weights(path)
        project = {k.removeprefix(_PROJECT): v for k, v in state.items() if k.startswith(_PROJECT)}
        gpt = {k.removeprefix(_GPT): v for k, v in state.items() if k.startswith(_GPT)}
        foreign = [k for k in state if not k.startswith((_PROJECT, _GPT))]
        if foreign or not project:
            raise UserError(
                f"{path}: not a ClipCap checkpoint: its keys start with {_PROJECT} and {_GPT}"
                f"{', not ' + foreign[0] if foreign else ''}. Give a published ClipCap file."
            )
        try:
            width = cast(Tensor, language_model.get_input_embeddings().weight).shape[1]
            mapper = build_mapper(project, width)
        except ValueError as error:
            raise UserError(
                f"{path}: {error}. Give a ClipCap file with the language model it was trained with."
            ) from error
        fill(mapper, project, path)
        decoder: Any = language_model
        if gpt:
            fill(decoder, {k: v for k, v in gpt.items() if not _OLD_BUFFERS.fullmatch(k)}, path)
        mapper.to(device=decoder.device, dtype=decoder.dtype).eval().requires_grad_(False)
        return cls(mapper, decoder.eval().requires_grad_(False), tokenizer, normalise)

    def to(self, device: torch.device, dtype: torch.dtype) -> "ClipCap":
        """Move both networks to a device and number type."""
        self.mapper.to(device=device, dtype=dtype)
        decoder: Any = self.language_model
        decoder.to(device=device, dtype=dtype)
        return self

    @torch.inference_mode()
    def generate(
        self,
        features: Tensor,
        max_tokens: int = _MOST_TOKENS,
        stop: str = _STOP,
        *,
        method: Method = "greedy",
        beams: int = 5,
        top_p: float = 0.9,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[Caption]:
        """Caption CLIP features (B, D), as CLIP gives them: normalised only if `normalise`.

        A caption ends after `stop` (kept), at the end-of-text token, after `max_tokens`, or at the
        language model's last position; one that begins with `stop` is just that. `beams` is for
        `beam`, the published code's search; `top_p`, `temperature` and `seed` are for `nucleus`,
        which samples (the published code's top-p takes the argmax and is plain greedy), from a
        stream of the features themselves. A row's caption does not depend on its batch.

        Raises:
            UserError: `stop` is not one token, the features are of another CLIP, or the prefix
                is too long for the language model.
            ValueError: `max_tokens` is below 1, or a method's own options make no sense.
        """
        if method == "beam":
            return [row[0] for row in self.likeliest(features, beams, max_tokens, stop)]
        if not len(features):
            return []
        prefix, stops, most = self._begin(features, max_tokens, stop)
        pick: Pick = pick_best
        if method == "nucleus":
            pick = nucleus(top_p, temperature, [(seed, key) for key in _keys(features)])
        sequences = decode(self.language_model, prefix, stops, most, pick)
        return [self._caption(tokens) for tokens in sequences]

    @torch.inference_mode()
    def likeliest(
        self, features: Tensor, beams: int, max_tokens: int = _MOST_TOKENS, stop: str = _STOP
    ) -> list[list[Caption]]:
        """Give the captions of each of the CLIP features (B, D) that a search by `beams` ends with.

        The likeliest comes first. Some may say the same in other tokens.

        Raises:
            UserError: as `generate`.
            ValueError: there is no beam, or more than the vocabulary has tokens.
        """
        if not len(features):
            return []
        prefix, stops, most = self._begin(features, max_tokens, stop)
        found = beam_search(self.language_model, prefix, stops, most, beams)
        return [[self._caption(tokens) for tokens in row] for row in found]

    def _begin(self, features: Tensor, max_tokens: int, stop: str) -> tuple[Tensor, set[int], int]:
        """Return the prefixes (B, P, W), the stop tokens, and the most tokens that there may be."""
        if max_tokens < 1:
            raise ValueError("max_tokens is at least 1")
        stops, prefix = self._stops(stop), self._prefix(features)
        return prefix, stops, min(max_tokens, room(self.language_model, prefix.shape[1]))

    def _caption(self, tokens: Tokens) -> Caption:
        text = str(self.tokenizer.decode(list(tokens.ids), skip_special_tokens=True))
        return Caption(text, tokens.ids, tokens.log_probability / len(tokens.ids))

    def _stops(self, stop: str) -> set[int]:
        ids = self.tokenizer.encode(stop, add_special_tokens=False)
        if len(ids) != 1:
            raise UserError(
                f"the stop token {stop!r} is {len(ids)} tokens of this language model's tokenizer, "
                "and must be one. Use another captioner."
            )
        end = self.tokenizer.eos_token_id
        return {ids[0]} if end is None else {ids[0], end}

    def _prefix(self, features: Tensor) -> Tensor:
        expected = self.mapper.features
        if features.ndim != 2 or features.shape[1] != expected:
            raise UserError(
                f"this captioner reads features of {expected} numbers and got "
                f"{tuple(features.shape)}: it belongs to another CLIP. Choose --model and "
                "--captioner that belong together."
            )
        features = features.to(next(self.mapper.parameters()))
        prefix: Tensor = self.mapper(F.normalize(features, dim=-1) if self.normalise else features)
        return prefix


def _keys(features: Tensor) -> list[int]:
    """Return a number for each row (B, D): where its largest and its smallest feature are.

    That does not follow from the features' last bits, which another batch or a resumed run may
    round otherwise.
    """
    keys: list[int] = (features.argmax(1) * features.shape[1] + features.argmin(1)).tolist()
    return keys
