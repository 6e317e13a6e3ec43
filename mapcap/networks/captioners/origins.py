"""Which CLIP a ClipCap was made for, and what it speaks with: its own notes, or what is known.

A prefix network reads the features of one CLIP. With another of the same width it says something,
too, but nothing that is in the picture; so a run asks before it begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mapcap.networks.embedded import MINI
from mapcap.networks.weights import Outline

_YES: Final = ("true", "1", "yes")


@dataclass(frozen=True)
class Origin:
    """What a ClipCap was trained with."""

    clip: str
    """The CLIP whose features it reads, as `clip.identity` names it."""
    normalise: bool = False
    """Whether it reads features of unit length."""
    decoder: str | None = None
    """Language model it speaks with, as `--lm` names one; None: its file holds it, a GPT-2."""


_OPENAI_B32: Final = Origin("ViT-B-32/openai")
_OPENAI_RN50X4: Final = Origin("RN50x4/openai", normalise=True)

# Mokady et al.'s own files, which say nothing of themselves. They trained the transformer on
# features of unit length and the MLP on features as they come (their two notebooks).
BY_NAME: Final[Mapping[str, Origin]] = MappingProxyType(
    {
        MINI: Origin(MINI, decoder=MINI),
        "akhaliq/CLIP-prefix-captioning-conceptual-weights/conceptual_weights.pt": _OPENAI_B32,
        "akhaliq/CLIP-prefix-captioning-COCO-weights/coco_weights.pt": _OPENAI_B32,
    }
)
_BY_SHAPE: Final[Mapping[tuple[str, tuple[int, ...]], Origin]] = MappingProxyType(
    {
        ("model.0.weight", (3840, 512)): _OPENAI_B32,
        ("linear.weight", (40 * 768, 640)): _OPENAI_RN50X4,
    }
)


def origin(outline: Outline) -> Origin | None:
    """Return what a file was trained with: by its notes, or as the published file it looks like.

    The notes are `clip` (`ViT-L-14/openai`), `normalise` (`true`) and `decoder`: metadata of
    safetensors, or strings beside `state_dict` in a `.pt`. None where nothing is known.
    """
    notes = outline.notes
    if "clip" in notes:
        unit = notes.get("normalise", "").lower() in _YES
        return Origin(notes["clip"], unit, notes.get("decoder"))
    for (name, shape), published in _BY_SHAPE.items():
        if outline.shapes.get(f"clip_project.{name}") == shape:
            return Origin(published.clip, published.normalise, notes.get("decoder"))
    return None
