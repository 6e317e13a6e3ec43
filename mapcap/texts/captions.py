"""Captions of regions: their texts, how often each occurs, and how well it fits."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.text_towers import without_padding

_TWICE = re.compile(r"\b(\w+(?: \w+){0,2}?)(?:(?: and)? \1\b)+")


@dataclass(frozen=True)
class Distinct:
    """The distinct texts among many, in the order in which they first occur."""

    texts: list[str]
    counts: list[int]
    """How often each text occurs."""
    index: list[int]
    """For each of the many, the position of its text in `texts`."""


def distinct(texts: Sequence[str]) -> Distinct:
    """Return the distinct texts with their counts, and where each text is among them."""
    position: dict[str, int] = {}
    index = [position.setdefault(text, len(position)) for text in texts]
    counts = Counter(index)
    return Distinct(list(position), [counts[i] for i in range(len(position))], index)


def tidy(caption: Caption) -> Caption:
    """Return the caption with single spaces, none around it, and "X X" and "X and X" said once.

    Small decoders repeat themselves where they are not sure of what comes next. X is one to three
    words.
    """
    return replace(caption, text=_TWICE.sub(r"\1", " ".join(caption.text.split())))


def is_empty(text: str) -> bool:
    """Tell whether a caption says nothing: ClipCap's lone stop token, or no text at all."""
    return not text.strip(" .")


@torch.inference_mode()
def caption_cosines(
    clip: Clip, texts: Sequence[str], embeddings: Tensor, batch_size: int = 256
) -> Tensor:
    """Return the cosine (N,) of each text with its region's embedding (N, D).

    The result is float32 on the CPU. Each distinct text goes through CLIP's text tower once.
    `embeddings` need not be normalised.

    Raises:
        ValueError: there are not as many texts as embeddings.
    """
    if len(texts) != len(embeddings):
        raise ValueError(f"{len(texts)} texts for {len(embeddings)} embeddings")
    if not texts:
        return torch.empty(0)
    unique = distinct(texts)
    # Texts of like length together: a short one costs what the longest of its batch does.
    order = sorted(range(len(unique.texts)), key=lambda i: len(unique.texts[i]))
    encoded = []
    for start in range(0, len(order), batch_size):
        part = [unique.texts[i] for i in order[start : start + batch_size]]
        tokens = without_padding(clip.model, clip.tokenizer(part)).to(clip.device)  # (B, L)
        encoded.append(clip.model.encode_text(tokens, normalize=True).float().cpu())
    place = torch.tensor(order).argsort()
    text_embeddings = torch.cat(encoded)[place[unique.index]]  # (N, D)
    regions = torch.nn.functional.normalize(embeddings.float().cpu(), dim=-1)
    return (text_embeddings * regions).sum(-1)
