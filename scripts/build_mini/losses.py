"""What the trained end is asked for: class, hypernym, caption, and nearness to the class's text."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.build_mini.bank import Bank

_SMOOTHING = 0.1
_CLASS_TEMPERATURE, _CAPTION_TEMPERATURE = 0.05, 0.07
_LARGEST_SCALE = 100.0
_HIDDEN = -1e4


@dataclass(frozen=True)
class Weights:
    """How much each part counts beside the class (which counts 1), and which texts are drawn."""

    hypernyms: float
    nearness: float
    captions: float
    described: float
    """Share of the classes that stand with a description."""
    bare: float
    """Share that stand with their bare name."""


class Temperatures(nn.Module):
    """The two learnt logit scales."""

    def __init__(self) -> None:
        super().__init__()
        self.classes = nn.Parameter(torch.tensor(math.log(1 / _CLASS_TEMPERATURE)))
        self.captions = nn.Parameter(torch.empty(()))
        self.restart_captions()

    def restart_captions(self) -> None:
        """Set the captions' scale to where it begins; a new cycle goes on with the classes'."""
        with torch.no_grad():
            self.captions.fill_(math.log(1 / _CAPTION_TEMPERATURE))


@dataclass(frozen=True)
class Teacher:
    """The texts that embeddings are drawn towards."""

    bank: Bank
    seen: list[int]
    captions: Tensor
    """(M, D) float16: the embedded captions of the first M photos."""

    def loss(
        self, z: Tensor, photos: Sequence[int], labels: Tensor, scales: Temperatures, of: Weights
    ) -> Tensor:
        """Loss of normalised embeddings z (B, D) of photos with their classes (B,)."""
        scale = scales.classes.exp().clamp(max=_LARGEST_SCALE)
        texts = self.bank.draw(self.seen, of.described, of.bare)  # (C, D)
        place = {index: position for position, index in enumerate(self.seen)}
        true = torch.tensor([place[label] for label in labels.tolist()])
        total = F.cross_entropy(z @ texts.T * scale, true, label_smoothing=_SMOOTHING)
        total = total + of.hypernyms * self._hypernyms(z, labels, scale)
        total = total + of.nearness * (1 - (z * self.bank.centres[labels]).sum(1)).mean()
        return total + of.captions * self._captions(z, photos, scales)

    def _hypernyms(self, z: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
        """One hypernym of each photo's class among all that it is not."""
        with_any = [i for i, k in enumerate(labels.tolist()) if self.bank.ancestors[k]]
        true = torch.tensor([random.choice(self.bank.ancestors[int(labels[i])]) for i in with_any])
        logits = z[with_any] @ self.bank.hypernyms.T * scale  # (b, H)
        also_right = self.bank.is_a[labels[with_any]]
        also_right[torch.arange(len(with_any)), true] = False
        return F.cross_entropy(logits.masked_fill(also_right, _HIDDEN), true)

    def _captions(self, z: Tensor, photos: Sequence[int], scales: Temperatures) -> Tensor:
        """CLIP's loss between the photos and their own captions, for those that have one."""
        rows = [i for i, photo in enumerate(photos) if photo < len(self.captions)]
        if not rows:
            return z.new_zeros(())
        texts = self.captions[[photos[i] for i in rows]].float()  # (b, D)
        logits = z[rows] @ texts.T * scales.captions.exp().clamp(max=_LARGEST_SCALE)
        own = torch.arange(len(rows))
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
