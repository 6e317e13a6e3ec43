"""The presets: which networks belong together, their sizes and licences, and what each is for."""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from mapcap.config import IndexConfig
from mapcap.errors import UserError, closest

PHRASES: Final = "phrases"
"""The captioner that works with any CLIP and needs no network of its own."""
_WIDTH: Final = 4
"""Bytes of a weight in memory, and in most published files: float32."""
_HALF: Final = 2


@dataclass(frozen=True)
class Part:
    """A network of a preset."""

    what: str
    millions: float
    """Weights, in millions."""
    licence: str
    inside: bool = False
    """Whether it comes with MapCap and is not fetched."""
    file_width: int = _WIDTH
    """Bytes of a weight in the published file."""
    width: int = _WIDTH
    """Bytes of a weight in a GPU's memory, where vision-language networks are in bfloat16."""
    approximate: bool = False
    """Whether the number of weights was not counted, but is what is commonly said."""

    @property
    def megabytes(self) -> float:
        """Megabytes that its weights take in a GPU's memory."""
        return self.millions * self.width

    @property
    def download(self) -> float:
        """Megabytes to fetch, about."""
        return 0.0 if self.inside else self.millions * self.file_width


@dataclass(frozen=True)
class Preset:
    """The networks of a preset, and what it is for."""

    model: str
    pretrained: str | None
    captioner: str
    lm: str
    purpose: str
    parts: tuple[Part, ...]
    """CLIP, captioner and language model."""
    any_clip: bool = False
    """Whether the captioner works with any CLIP."""
    decoding: str = IndexConfig.decoding
    """How its captioner comes to a caption; another captioner does as it does by itself."""
    threshold: str = IndexConfig.threshold
    keep_artefacts: bool = IndexConfig.keep_artefacts
    class_frequency: bool = IndexConfig.class_frequency
    shared: bool = IndexConfig.shared

    @property
    def megabytes(self) -> float:
        """Megabytes that the weights take in a GPU's memory; a batch of photos comes on top."""
        return sum(part.megabytes for part in self.parts)

    @property
    def download(self) -> float:
        """Megabytes to fetch before the first run, about."""
        return sum(part.download for part in self.parts)


PRESETS: Final = MappingProxyType(
    {
        "mini": Preset(
            model="mini",
            pretrained=None,
            captioner="mini",
            lm="mini",
            decoding="rerank",
            purpose="small networks inside the package: no download, for trying out and for tests",
            parts=(
                Part("DINOv2 S/14 and MiniLM, trained further", 44.3, "Apache-2.0", inside=True),
                # It speaks by a language model of its own, the one that PMI uses.
                Part("ClipCap and its decoder", 6.3, "Apache-2.0", inside=True),
                Part("a GPT-2 of 5 million weights", 5.0, "Apache-2.0", inside=True),
            ),
        ),
        "poster": Preset(
            model="ViT-B-32",
            pretrained="openai",
            captioner="clipcap:hf-hub:akhaliq/CLIP-prefix-captioning-conceptual-weights/"
            "conceptual_weights.pt",
            lm="gpt2",
            purpose="the poster's: CLIP ViT-B/32, ClipCap on Conceptual Captions, GPT-2",
            parts=(
                Part("CLIP ViT-B/32 (OpenAI)", 151.3, "MIT"),
                Part("ClipCap on Conceptual Captions, with its GPT-2", 155.9, "MIT (its code's)"),
                Part("GPT-2", 124.4, "MIT"),
            ),
            threshold="half",
            keep_artefacts=True,
            class_frequency=False,
            shared=False,
        ),
        "medium": Preset(
            model="ViT-B-16-SigLIP2-256",
            pretrained="webli",
            captioner="vlm:HuggingFaceTB/SmolVLM-256M-Instruct",
            lm="HuggingFaceTB/SmolLM2-360M",
            purpose="openly licensed and small, for a GPU with 8 GB",
            parts=(
                Part("SigLIP 2 B/16, 256 pixels", 375.2, "Apache-2.0"),
                Part(
                    "SmolVLM 256M",
                    256.0,
                    "Apache-2.0",
                    file_width=_HALF,
                    width=_HALF,
                    approximate=True,
                ),
                Part("SmolLM2 360M", 362.0, "Apache-2.0", file_width=_HALF, approximate=True),
            ),
            any_clip=True,
        ),
        "strong": Preset(
            model="ViT-SO400M-16-SigLIP2-384",
            pretrained="webli",
            captioner="vlm:Qwen/Qwen3-VL-2B-Instruct",
            lm="Qwen/Qwen3-0.6B-Base",
            purpose="openly licensed and larger, for a GPU with 24 GB",
            parts=(
                Part("SigLIP 2 So400m/16, 384 pixels", 1136.0, "Apache-2.0"),
                Part(
                    "Qwen3-VL 2B",
                    2127.5,
                    "Apache-2.0",
                    file_width=_HALF,
                    width=_HALF,
                    approximate=True,
                ),
                Part("Qwen3 0.6B", 596.0, "Apache-2.0", file_width=_HALF, approximate=True),
            ),
            any_clip=True,
        ),
    }
)


def with_preset(config: IndexConfig, preset: str, **overrides: str | bool | None) -> IndexConfig:
    """Fill the networks of `config`, and how it selects, from a preset, except for `overrides`.

    A preset's `pretrained` belongs to its model: naming another model drops it, and takes phrases
    for a captioner that reads the features of the preset's own.

    Raises:
        UserError: for an unknown preset.
    """
    if preset not in PRESETS:
        raise UserError(f"--preset {preset}: there is no such preset. {closest(preset, PRESETS)}")
    chosen = PRESETS[preset]
    named = {key: value for key, value in overrides.items() if value is not None}
    model, pretrained = chosen.model, None if "model" in named else chosen.pretrained
    same_clip = (named.get("model", model), named.get("pretrained", pretrained)) == (
        chosen.model,
        chosen.pretrained,
    )
    captioner = chosen.captioner if same_clip or chosen.any_clip else PHRASES
    own = named.get("captioner", captioner) == chosen.captioner
    parts: dict[str, Any] = {
        "model": model,
        "pretrained": pretrained,
        "captioner": captioner,
        "decoding": chosen.decoding if own else IndexConfig.decoding,
        "lm": chosen.lm,
        "threshold": chosen.threshold,
        "keep_artefacts": chosen.keep_artefacts,
        "class_frequency": chosen.class_frequency,
        "shared": chosen.shared,
    }
    return replace(config, preset=preset, **{**parts, **named})
