"""Regions to captions: batches, distinct texts with counts, and how well a caption fits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor

from mapcap.networks.captioners import Captioner, RegionBatch
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption


@dataclass(frozen=True)
class Distinct:
    """The distinct texts among captions, in the order in which they first occur."""

    texts: list[str]
    counts: list[int]
    """How many captions have each text."""
    index: list[int]
    """For each caption, the position of its text in `texts`."""


def caption_regions(
    captioner: Captioner,
    *,
    features: Tensor | None = None,
    crops: Sequence[Image.Image] = (),
    batch_size: int = 64,
) -> Iterator[list[Caption]]:
    """Caption regions batch by batch, in order; texts come with single spaces and none outside.

    `features` (N, D) are CLIP's, not normalised; `crops` are N pictures. The captioner's `needs`
    says which it reads; the other may be left out.

    Raises:
        ValueError: what the captioner needs is missing.
    """
    if captioner.needs == "features" and features is None:
        raise ValueError("this captioner needs features")
    total = len(crops) if captioner.needs == "crops" or features is None else len(features)
    for start in range(0, total, batch_size):
        part = slice(start, start + batch_size)
        batch = RegionBatch(None if features is None else features[part], crops[part])
        yield [tidy(caption) for caption in captioner.caption(batch)]


def tidy(caption: Caption) -> Caption:
    """Return the caption with single spaces in its text and none around it."""
    return replace(caption, text=" ".join(caption.text.split()))


def is_empty(text: str) -> bool:
    """Tell whether a caption says nothing: ClipCap's lone stop token, or no text at all."""
    return not text.strip(" .")


def distinct(captions: Sequence[Caption]) -> Distinct:
    """Return the distinct texts with their counts, and where each caption's text is among them."""
    position: dict[str, int] = {}
    index = [position.setdefault(caption.text, len(position)) for caption in captions]
    counts = Counter(index)
    return Distinct(list(position), [counts[i] for i in range(len(position))], index)


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
    names = list(dict.fromkeys(texts))
    position = {text: i for i, text in enumerate(names)}
    encoded = []
    for start in range(0, len(names), batch_size):
        tokens = clip.tokenizer(names[start : start + batch_size]).to(clip.device)
        encoded.append(clip.model.encode_text(tokens, normalize=True).float().cpu())
    text_embeddings = torch.cat(encoded)[[position[text] for text in texts]]  # (N, D)
    regions = torch.nn.functional.normalize(embeddings.float().cpu(), dim=-1)
    return (text_embeddings * regions).sum(-1)
