"""`phrases` and `phrases:FILE`: the nearest phrase of a vocabulary, with every CLIP."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import torch
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.datasets.encodings import read_text
from mapcap.errors import UserError
from mapcap.networks.captioners.base import (
    Captioner,
    Kind,
    Needs,
    RegionBatch,
    argument,
    features_of,
)
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.zero_shot import class_logits, class_weights

PHRASES: Final = Path(__file__).parents[2] / "data" / "phrases.txt"
_COMMENT: Final = "#"


@dataclass(frozen=True)
class PhraseCaptioner:
    """Captions features by the phrase whose embedding is nearest; generates nothing."""

    clip: Clip
    phrases: tuple[str, ...]
    weights: Tensor
    """(P, D), the phrases' embeddings, L2-normalised."""
    needs: ClassVar[Needs] = "features"
    batch_size: ClassVar[int] = 1024

    @torch.inference_mode()
    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' features, in order.

        A phrase is one token, its place in the vocabulary; its log-probability is that of a
        zero-shot classification among all phrases.

        Raises:
            ValueError: the batch has no features.
        """
        features = features_of(batch)
        log_p = class_logits(self.clip.model, features, self.weights).log_softmax(-1)  # (B, P)
        best, places = log_p.max(-1)
        return [
            Caption(self.phrases[place], (place,), score)
            for place, score in zip(places.tolist(), best.tolist(), strict=True)
        ]


def read_phrases(config: IndexConfig) -> tuple[str, ...]:
    """Return the distinct phrases of a run's vocabulary file; `#` begins a line of comment.

    Raises:
        UserError: the file is missing, no text, or empty.
    """
    name = argument(config)
    path = Path(name).expanduser() if name else PHRASES
    lines = read_text(path, "--captioner phrases").splitlines()
    texts = [" ".join(line.split()) for line in lines if not line.startswith(_COMMENT)]
    phrases = tuple(dict.fromkeys(text for text in texts if text))
    if not phrases:
        raise UserError(
            f"--captioner {config.captioner}: {path} holds no phrase. Write one a line."
        )
    return phrases


def _check(config: IndexConfig) -> None:
    read_phrases(config)


def _load(config: IndexConfig, clip: Clip, device: torch.device) -> Captioner:
    phrases = read_phrases(config)
    return PhraseCaptioner(clip, phrases, class_weights(clip.model, clip.tokenizer, phrases))


KIND: Final = Kind("phrases or phrases:FILE", PhraseCaptioner, _check, _load)
