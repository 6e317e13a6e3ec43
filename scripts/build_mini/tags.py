"""Short texts that are true or false of a photo of Flickr8k: nouns, phrases, people or none."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mapcap.texts.humans import names_human
from scripts.build_mini.noun_phrases import Chunker, frequent
from scripts.build_mini.people import Described

LEAST_PHOTOS = 30
"""Photos that a noun or a phrase must be told of to be a tag."""
SURE = 2
"""Sentences of a photo's five after which a tag counts as wholly true."""
PEOPLE = (
    "a person", "person", "people", "a human", "humans", "a photo of a person", "a photo of people",
    "there is a person",
)  # fmt: skip
NOBODY = (
    "no person", "no people", "nobody", "no humans", "a photo without people",
    "there is no person",
)  # fmt: skip
_TEMPLATES = "{}", "a photo of {}", "there is {}"

Encode = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class Tags:
    """T tags; the first is that there are people, the second that there are none."""

    texts: list[list[str]]
    """What each may be called, any of them."""
    embeddings: list[Tensor]
    """(n, D) each, L2-normalised."""
    true: Tensor
    """(N, T) float16 in 0..1: how far each is true of each of N photos."""

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw one wording a tag: (T, D)."""
        chosen = [
            torch.randint(len(each), (1,), generator=generator).item() for each in self.embeddings
        ]
        return torch.stack([e[int(i)] for e, i in zip(self.embeddings, chosen, strict=True)])


def human_share(photo: Described) -> float:
    """Share of a photo's sentences that name a human."""
    return sum(map(names_human, photo.sentences)) / len(photo.sentences)


def build_tags(
    photos: Sequence[Described], chunker: Chunker, encode: Encode, least: int = LEAST_PHOTOS
) -> Tags:
    """Find the tags in the photos' sentences and embed them."""
    told = [_told(photo, chunker) for photo in photos]
    names = frequent(told, least)
    place = {name: 2 + number for number, name in enumerate(names)}
    true = torch.zeros(len(photos), 2 + len(names))
    for row, (photo, found) in enumerate(zip(photos, told, strict=True)):
        true[row, 0] = human_share(photo)
        true[row, 1] = 1 - true[row, 0]
        for name, count in Counter(found).items():
            if name in place:
                true[row, place[name]] = min(1.0, count / SURE)
    texts = [list(PEOPLE), list(NOBODY)]
    texts += [[template.format(name) for template in _TEMPLATES] for name in names]
    flat = encode([text for group in texts for text in group])
    return Tags(texts, list(torch.split(flat, [len(group) for group in texts])), true.half())


def _told(photo: Described, chunker: Chunker) -> list[str]:
    """List the phrases and the bare nouns of a photo's sentences, each once a sentence."""
    return [
        name
        for sentence in photo.sentences
        for name in {*chunker.phrases(sentence), *(c[-1] for c in chunker.chunks(sentence))}
    ]
