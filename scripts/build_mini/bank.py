"""What the classes are called: many texts a class, their embeddings, and the classes' hypernyms."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.classes import PhotoClass, with_article
from scripts.build_mini.synsets import Synset, hypernym_words

TEMPLATES = (
    "{n}",
    "a photo of {an}",
    "{an}",
    "a close-up photo of {an}",
    "a picture of the {n}",
    "the {n}",
    "a small photo of {an}",
    "{n} in a photo",
)
_SYNONYMS = 3
_HYPERNYMS = 6
_DESCRIBED_WEIGHT = 0.5

Encode = Callable[[Sequence[str]], Tensor]


def plain_texts(photo_class: PhotoClass) -> list[str]:
    """Put the name and its nearest synonyms into every template."""
    return [
        template.format(n=word, an=with_article(word))
        for word in photo_class.synonyms[:_SYNONYMS]
        for template in TEMPLATES
    ]


def describing_texts(photo_class: PhotoClass, synsets: Mapping[str, Synset]) -> list[str]:
    """Say by definition and by hypernyms what the class is."""
    name, definition = photo_class.name, synsets[photo_class.offset].definition
    above = hypernym_words(synsets, photo_class.offset)
    return [
        f"{name}: {definition}",
        f"{name}, a kind of {above[0] if above else name}",
        ", ".join([name, *above[:3]]),
        definition,
    ]


@dataclass(frozen=True)
class Bank:
    """Embeddings (…, D), L2-normalised, of the texts of K classes."""

    names: Tensor  # (K, D) bare names
    centres: Tensor  # (K, D) each class's mean text
    plain: list[Tensor]  # K of (n, D)
    described: list[Tensor]  # K of (n, D)
    hypernyms: Tensor  # (H, D)
    is_a: Tensor  # (K, H) bool: the class is one of these
    ancestors: list[list[int]]  # for each class the hypernyms that it is one of

    def draw(self, classes: Sequence[int], described: float, bare: float) -> Tensor:
        """Draw one text a class, (C, D): its bare name, a description, or else a template."""
        drawn = []
        for index in classes:
            if random.random() < bare:
                drawn.append(self.names[index])
            else:
                texts = (self.described if random.random() < described else self.plain)[index]
                drawn.append(texts[random.randrange(len(texts))])
        return torch.stack(drawn)


def build_bank(
    encode: Encode,
    classes: Sequence[PhotoClass],
    synsets: Mapping[str, Synset],
    seen: Sequence[int],
) -> Bank:
    """Embed all texts; the hypernyms are those that the seen classes have nearby."""
    chains = [hypernym_words(synsets, each.offset) for each in classes]
    hypernyms = sorted({word for index in seen for word in chains[index][:_HYPERNYMS]})
    is_a = torch.tensor([[word in chain for word in hypernyms] for chain in chains])  # (K, H)
    ancestors = [row.nonzero().flatten().tolist() for row in is_a]
    plain = _embedded(encode, [plain_texts(each) for each in classes])
    described = _embedded(encode, [describing_texts(each, synsets) for each in classes])
    means = [
        texts.mean(0) + _DESCRIBED_WEIGHT * more.mean(0)
        for texts, more in zip(plain, described, strict=True)
    ]
    names = encode([each.name for each in classes])
    centres = F.normalize(torch.stack(means), dim=1)
    return Bank(names, centres, plain, described, encode(hypernyms), is_a, ancestors)


def _embedded(encode: Encode, texts: Sequence[Sequence[str]]) -> list[Tensor]:
    flat = encode([text for group in texts for text in group])
    return list(torch.split(flat, [len(group) for group in texts]))
