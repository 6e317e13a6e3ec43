"""`blip:NAME`: captions of crops by BLIP, BLIP-2 or GIT, which need no prompt."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from PIL import Image

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
from mapcap.networks.captioners.generation import greedy_captions
from mapcap.networks.captioners.image_to_text import load_network, read_config
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.devices import DTYPE

_TOKENS: Final = 40
"""Captions end by themselves; this only bounds one that does not."""
_TYPES: Final = ("blip", "blip-2", "git")


@dataclass(frozen=True)
class BlipCaptioner:
    """Captions crops, greedily, with an image-to-text network of transformers (BLIP, GIT)."""

    model: Any
    processor: Any
    needs: ClassVar[Needs] = "crops"
    batch_size: ClassVar[int] = 32

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' crops, in order; log-probabilities include the end-of-text token.

        Raises:
            ValueError: the batch has features and no crops.
        """
        return caption_crops(batch, self._caption)

    def _caption(self, crops: list[Image.Image]) -> list[Caption]:
        pixels = self.processor(images=crops, return_tensors="pt")["pixel_values"]
        inputs = {"pixel_values": pixels.to(device=self.model.device, dtype=self.model.dtype)}
        tokenizer = self.processor.tokenizer
        # BLIP stops at its tokenizer's separator, whatever its generation configuration says.
        ends = {tokenizer.sep_token_id, tokenizer.eos_token_id} - {None}
        return greedy_captions(self.model, inputs, tokenizer, _TOKENS, ends)


def _check(config: IndexConfig) -> None:
    kind = read_config(config).model_type
    if kind not in _TYPES:
        raise UserError(
            f"--captioner {config.captioner}: a network of type {kind} is not captioned by as "
            f"{', '.join(_TYPES)} are. Give vlm:{argument(config)}."
        )


def _load(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    return BlipCaptioner(*load_network(config, device, DTYPE))


KIND: Final = Kind("blip:NAME", BlipCaptioner, _check, _load)
