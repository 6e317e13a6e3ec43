"""`vlm:NAME`: captions of crops by any image-text-to-text network, asked by a prompt."""

import inspect
import re
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners.base import Captioner, Kind, Needs, RegionBatch, caption_crops
from mapcap.networks.captioners.generation import greedy_captions
from mapcap.networks.captioners.image_to_text import load_network, read_config
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.devices import DTYPE

_TOKENS: Final = 60
"""A sentence ends by itself; this only bounds an answer that does not."""
_SENTENCE: Final = re.compile(r"^\s*(.*?[.!?])(?=\s|$)", re.DOTALL)
# Networks that were not trained to chat know only prompts of their own.
_PROMPTS: Final = MappingProxyType({"florence2": "<CAPTION>", "paligemma": "caption en"})
# Packages that processors of transformers ask for, which transformers does not bring.
_PACKAGES: Final = MappingProxyType({"smolvlm": "num2words"})
_IMAGE_TOKENS: Final = MappingProxyType({"paligemma": "<image>"})


@dataclass(frozen=True)
class VlmCaptioner:
    """Captions crops, greedily, by the answer of a vision-language network to a prompt."""

    model: Any
    processor: Any
    prompt: str
    first_sentence: bool
    """Whether only the first sentence of an answer is kept: PMI wants short ones."""
    needs: ClassVar[Needs] = "crops"
    batch_size: ClassVar[int] = 8

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' crops, in order; log-probabilities are of the whole answer.

        Raises:
            ValueError: the batch has features and no crops.
        """
        return caption_crops(batch, self._caption)

    def _caption(self, crops: list[Image.Image]) -> list[Caption]:
        inputs = self._inputs(crops).to(self.model.device, self.model.dtype)
        captions = greedy_captions(self.model, inputs, self.processor.tokenizer, _TOKENS)
        return [replace(each, text=self.shorten(each.text)) for each in captions]

    def _inputs(self, crops: list[Image.Image]) -> Any:
        """Return what the network reads: the crops, each with the prompt, padded on the left."""
        if getattr(self.processor, "chat_template", None) and self._fixed_prompt is None:
            text = {"type": "text", "text": self.prompt}
            chats = [
                [{"role": "user", "content": [{"type": "image", "image": crop}, text]}]
                for crop in crops
            ]
            return self.processor.apply_chat_template(
                chats,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
                **_padding(self.processor),
            )
        kind = self.model.config.model_type
        prompt = _IMAGE_TOKENS.get(kind, "") + (self._fixed_prompt or self.prompt)
        # A list a text: some processors take a flat list for the pictures of one text.
        pictures = [[crop] for crop in crops] if kind in _IMAGE_TOKENS else crops
        return self.processor(
            images=pictures, text=[prompt] * len(crops), return_tensors="pt", padding=True
        )

    @property
    def _fixed_prompt(self) -> str | None:
        return _PROMPTS.get(self.model.config.model_type)

    def shorten(self, text: str) -> str:
        """Return an answer's first sentence where that is all to be kept, else the whole of it."""
        sentence = _SENTENCE.match(text) if self.first_sentence else None
        return text.strip() if sentence is None else sentence.group(1)


def _padding(processor: Any) -> dict[str, Any]:
    """Return what makes texts equally long: transformers 5 asks for it under a name of its own."""
    padding = {"padding": True}
    named = "processor_kwargs" in inspect.signature(processor.apply_chat_template).parameters
    return {"processor_kwargs": padding} if named else padding


def _check(config: IndexConfig) -> None:
    network = read_config(config)
    models: Any = AutoModelForImageTextToText
    if type(network) not in models._model_mapping:
        raise UserError(
            f"--captioner {config.captioner}: transformers has no image-text-to-text network of "
            f"type {network.model_type}. Give another, such as vlm:Qwen/Qwen3-VL-2B-Instruct."
        )
    package = _PACKAGES.get(network.model_type)
    if package is not None and find_spec(package) is None:
        raise UserError(
            f"--captioner {config.captioner}: transformers reads for a network of type "
            f"{network.model_type} with the package {package}, which is not installed. Run "
            f"pip install {package}."
        )


def _load(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    # Seven billion weights in float32 are 28 GB; what is said hardly changes in bfloat16.
    dtype = torch.bfloat16 if device.type == "cuda" else DTYPE
    model, processor = load_network(config, device, dtype)
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None:
        raise UserError(
            f"--captioner {config.captioner}: it has no processor for pictures and texts. Give an "
            "image-text-to-text model, such as vlm:Qwen/Qwen3-VL-2B-Instruct."
        )
    # What is generated goes on from the last token of a row.
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return VlmCaptioner(model, processor, config.prompt, config.first_sentence)


KIND: Final = Kind("vlm:NAME", VlmCaptioner, _check, _load)
