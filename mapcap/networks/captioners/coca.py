"""`coca:NAME`: captions of crops by a CoCa of open_clip, which speaks as well as it sees.

open_clip 3.3's own `generate` works with transformers 4 alone, and gives no log-probabilities; this
says, token for token, what it says with `top_k` of one. Its default, a search over groups of beams,
is not there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Final

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from open_clip.transformer import TextTransformer
from PIL import Image
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners.base import (
    Captioner,
    Kind,
    Needs,
    RegionBatch,
    argument,
    caption_crops,
)
from mapcap.networks.clip import Clip, load_clip, outline_clip
from mapcap.networks.clip_check import check_clip
from mapcap.networks.clip_names import parted
from mapcap.networks.clipcap import Caption
from mapcap.networks.devices import DTYPE

# As open_clip generates, both with the token that starts a caption.
_LEAST: Final = 5
"""A caption does not end before it has this many tokens."""
_MOST: Final = 30
_BEFORE_MARKS: Final = re.compile(r"\s+(?=[.,:;!?'])")


@dataclass(frozen=True)
class CocaCaptioner:
    """Captions crops, greedily, with the text decoder of a CoCa."""

    clip: Clip
    needs: ClassVar[Needs] = "crops"
    batch_size: ClassVar[int] = 32

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' crops, in order; log-probabilities include the end-of-text token.

        Raises:
            ValueError: the batch has features and no crops.
        """
        return caption_crops(batch, self._caption)

    @torch.inference_mode()
    def _caption(self, crops: list[Image.Image]) -> list[Caption]:
        pixels = torch.stack([self.prepare(crop) for crop in crops])
        tokens, scores = self._greedy(pixels.to(self.clip.device, self.clip.dtype))
        captions = []
        tokenizer: Any = self.clip.tokenizer
        for row, log_p in zip(tokens.tolist(), scores, strict=True):
            end = tokenizer.eot_token_id
            length = row.index(end) + 1 if end in row else len(row)
            said = tokenizer.decode([token for token in row[:length] if token != end])
            text = _BEFORE_MARKS.sub("", said).strip()
            captions.append(Caption(text, tuple(row[:length]), log_p[:length].mean().item()))
        return captions

    @cached_property
    def prepare(self) -> Callable[[Image.Image], Tensor]:
        """What makes of a crop what the network sees of it (3, H, W).

        The whole of it, as `blip:` does: its own centre crop cuts off the ends of oblong ones.
        """
        own = PreprocessCfg(**self.clip.model.visual.preprocess_cfg)
        squashed: Callable[[Image.Image], Tensor] = image_transform_v2(
            replace(own, resize_mode="squash"), is_train=False
        )
        return squashed

    def _greedy(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, T) after the one that starts, and their log-probabilities (B, T)."""
        model, tokenizer = self.clip.model, self.clip.tokenizer
        start, end = tokenizer.sot_token_id, tokenizer.eot_token_id  # type: ignore[attr-defined]
        most = min(_MOST, model.context_length, model.text.context_length)
        image = model(pixels)
        seen = {"image_latent": image["image_features"], "image_embs": image["image_embs"]}
        tokens = torch.full((len(pixels), 1), start, device=pixels.device)
        scores: list[Tensor] = []
        while tokens.shape[1] < most and not (tokens == end).any(1).all():
            logits = model(pixels, tokens, **seen, output_labels=False)["logits"][:, -1]
            log_p = logits.float().log_softmax(-1)  # (B, V)
            allowed = log_p
            if tokens.shape[1] < _LEAST:
                allowed = log_p.index_fill(1, torch.tensor([end], device=log_p.device), -torch.inf)
            chosen = allowed.argmax(-1, keepdim=True)  # (B, 1)
            tokens = torch.cat([tokens, chosen], dim=1)
            scores.append(log_p.gather(1, chosen))
        return tokens[:, 1:], torch.cat(scores, dim=1)


def _check(config: IndexConfig) -> None:
    name, tag = parted(argument(config))
    try:
        check_clip(name, tag)
    except UserError as error:
        raise _not_had(config, error) from error
    model = outline_clip(name)
    text = getattr(model, "text", None)
    if not isinstance(model, open_clip.CoCa) or not isinstance(text, TextTransformer):
        published = open_clip.list_pretrained()
        known = (f"coca:{each}/{tag}" for each, tag in published if "coca" in each)
        raise UserError(
            f"--captioner {config.captioner}: it is no CoCa with a text tower of open_clip's, "
            f"and does not speak. Give one of: {', '.join(known)}."
        )


def _load(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    try:
        own = load_clip(*parted(argument(config)), device=device, dtype=DTYPE)
    except UserError as error:
        raise _not_had(config, error) from error
    if not isinstance(own.tokenizer, SimpleTokenizer):
        raise UserError(
            f"--captioner {config.captioner}: its tokenizer is not CLIP's, and where its texts "
            "start and end is not known. Give coca:coca_ViT-B-32/laion2b_s13b_b90k or a like one."
        )
    return CocaCaptioner(own)


def _not_had(config: IndexConfig, error: UserError) -> UserError:
    return UserError(f"--captioner {config.captioner}: the CoCa cannot be had. {error}")


_USAGE: Final = "coca:MODEL/TAG, coca:hf-hub:REPO or coca:local-dir:FOLDER"
KIND: Final = Kind(_USAGE, CocaCaptioner, _check, _load)
