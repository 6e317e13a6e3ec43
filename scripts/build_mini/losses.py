"""What the trained end is asked for: class, hypernym, nearness to the class; sentences; tags; and
to look at the object.
"""

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scripts.build_mini.bank import Bank
from scripts.build_mini.tags import Tags

_SMOOTHING = 0.1
_CLASS_TEMPERATURE, _SENTENCE_TEMPERATURE = 0.05, 0.07
_TAG_SCALE = 10.0
_LARGEST_SCALE = 100.0
_HIDDEN = -1e4
OTHERS = 2_048
"""Sentences of other photos that each photo is held against, beside those of its batch."""
_PEOPLE_COUNT = 6.0
"""How much the two tags of people count, of about 400."""
_LEAST_INSIDE = 1e-3
_SELDOM = 0.04
"""How often a photo of an animal is taken to show a person."""


@dataclass(frozen=True)
class Weights:
    """How much each part counts beside the class (which counts 1), and which texts are drawn."""

    hypernyms: float
    nearness: float
    sentences: float
    tags: float
    inside: float
    described: float
    """Share of the classes that stand with a description."""
    bare: float
    """Share that stand with their bare name."""


class Scales(nn.Module):
    """The learnt logit scales, and how common each of T tags is."""

    def __init__(self, tags: Tags) -> None:
        super().__init__()
        self.classes = nn.Parameter(torch.tensor(math.log(1 / _CLASS_TEMPERATURE)))
        self.sentences = nn.Parameter(torch.tensor(math.log(1 / _SENTENCE_TEMPERATURE)))
        self.tags = nn.Parameter(torch.tensor(math.log(_TAG_SCALE)))
        common = tags.true.float().mean(0).clamp(1e-3, 1 - 1e-3)
        self.tag_bias = nn.Parameter(torch.logit(common) - _TAG_SCALE / 4)  # (T,)


@dataclass(frozen=True)
class Sentences:
    """The sentences of S subjects (photos or stamps), one after the other."""

    embeddings: Tensor
    """(M, D) float16, L2-normalised."""
    starts: Tensor
    """(S + 1,) where each subject's sentences begin."""

    def draw(self, subjects: Tensor) -> Tensor:
        """Draw one sentence a subject: rows (B,) of the embeddings."""
        first, end = self.starts[subjects], self.starts[subjects + 1]
        return first + (torch.rand(len(subjects)) * (end - first)).long()


@dataclass(frozen=True)
class Lesson:
    """One batch, embedded: z (B, D) of things, of photos of people, of stamps, in this order."""

    z: Tensor
    inside: Tensor
    """(b',) shares of the last CLS attention that lie in the things' boxes."""
    things: Tensor
    """(b,) rows of the things among all things: the captioned ones come first there."""
    labels: Tensor
    """(b,) classes of the things."""
    people: Tensor
    """(b',) photos of Flickr8k."""
    stamps: Tensor
    """(b'',) stamps."""


@dataclass(frozen=True)
class Teacher:
    """The texts that embeddings are drawn towards."""

    bank: Bank
    seen: list[int]
    captions: Tensor
    """(M, D) float16: the embedded captions of the first M things."""
    people: Sentences
    stamps: Sentences
    tags: Tags
    animals: frozenset[int]
    """Classes of animals that people seldom hold."""

    def loss(self, batch: Lesson, scales: Scales, of: Weights) -> Tensor:
        """Sum up all parts."""
        things, people, _ = batch.z.split([len(batch.things), len(batch.people), len(batch.stamps)])
        scale = scales.classes.exp().clamp(max=_LARGEST_SCALE)
        texts = self.bank.draw(self.seen, of.described, of.bare)  # (C, D)
        place = {index: position for position, index in enumerate(self.seen)}
        true = torch.tensor([place[label] for label in batch.labels.tolist()])
        total = F.cross_entropy(things @ texts.T * scale, true, label_smoothing=_SMOOTHING)
        total = total + of.hypernyms * self._hypernyms(things, batch.labels, scale)
        near = (things * self.bank.centres[batch.labels]).sum(1)
        total = total + of.nearness * (1 - near).mean()
        total = total + of.sentences * self._sentences(batch, scales)
        total = total + of.tags * self._tags(things, people, batch, scales)
        # Relevance is attention times gradient: what is not looked at is not relevant.
        looked = batch.inside.clamp(min=_LEAST_INSIDE).log().sum() / max(1, len(batch.inside))
        return total - of.inside * looked

    def _hypernyms(self, z: Tensor, labels: Tensor, scale: Tensor) -> Tensor:
        """One hypernym of each photo's class among all that it is not."""
        with_any = [i for i, k in enumerate(labels.tolist()) if self.bank.ancestors[k]]
        true = torch.tensor([random.choice(self.bank.ancestors[int(labels[i])]) for i in with_any])
        logits = z[with_any] @ self.bank.hypernyms.T * scale  # (b, H)
        also_right = self.bank.is_a[labels[with_any]]
        also_right[torch.arange(len(with_any)), true] = False
        return F.cross_entropy(logits.masked_fill(also_right, _HIDDEN), true)

    def _sentences(self, batch: Lesson, scales: Scales) -> Tensor:
        """CLIP's loss between pictures and sentences, with many more sentences of people's photos.

        Things take part with their captions, those that have one.
        """
        captioned = (batch.things < len(self.captions)).nonzero().flatten()
        rest = torch.arange(len(batch.things), len(batch.z))
        z = batch.z[torch.cat([captioned, rest])]  # (b, D)
        texts = torch.cat(
            [
                self.captions[batch.things[captioned]],
                self.people.embeddings[self.people.draw(batch.people)],
                self.stamps.embeddings[self.stamps.draw(batch.stamps)],
            ]
        ).float()
        scale = scales.sentences.exp().clamp(max=_LARGEST_SCALE)
        logits, own = z @ texts.T * scale, torch.arange(len(z))
        among = logits
        if len(batch.people):
            others = torch.randint(len(self.people.embeddings), (OTHERS,))
            more = z @ self.people.embeddings[others].float().T * scale  # (b, OTHERS)
            # A photo's own sentences are right too.
            starts = len(captioned)
            first = self.people.starts[batch.people, None]
            end = self.people.starts[batch.people + 1, None]
            right = torch.zeros_like(more, dtype=torch.bool)
            right[starts : starts + len(batch.people)] = (others >= first) & (others < end)
            among = torch.cat([logits, more.masked_fill(right, _HIDDEN)], dim=1)
        forth = F.cross_entropy(among, own)
        return (forth + F.cross_entropy(logits.T, own)) / 2

    def _tags(self, things: Tensor, people: Tensor, batch: Lesson, scales: Scales) -> Tensor:
        """Whether each tag is true of each photo of people; and that animals go without people."""
        texts, scale = self.tags.draw(), scales.tags.exp().clamp(max=_LARGEST_SCALE)
        logits = people @ texts.T * scale + scales.tag_bias  # (b', T)
        counts = torch.ones(logits.shape[1])
        counts[:2] = _PEOPLE_COUNT
        wrong = F.binary_cross_entropy_with_logits(
            logits, self.tags.true[batch.people].float(), counts, reduction="sum"
        )
        rows = [i for i, label in enumerate(batch.labels.tolist()) if label in self.animals]
        alone = things[rows] @ texts[:2].T * scale + scales.tag_bias[:2]  # (a, 2)
        target = torch.tensor([_SELDOM, 1 - _SELDOM]).expand_as(alone)
        wrong_animals = F.binary_cross_entropy_with_logits(alone, target, reduction="sum")
        return (wrong + _PEOPLE_COUNT * wrong_animals) / (len(people) + len(rows))
