"""Batches of token ids for the language model: captions of features, and groups of sentences."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from scripts.build_mini.appearance import Appearance, Nouns, describe

PAIRS, TEXTS = 128, 24
"""Captions and sequences in a batch."""
CAPTION_TOKENS, SENTENCE_TOKENS, SEQUENCE_TOKENS = 30, 40, 64
END_ID = 0
"""The end-of-text token starts every sequence and ends every caption."""
_POOL = 8
"""Batches drawn at once and sorted by length, so that little is padding."""

Ids = list[int]


@dataclass(frozen=True)
class Pairs:
    """What the pixels behind M features show, the class of each, and the words for the classes."""

    looks: list[Appearance]
    labels: NDArray[Any]
    nouns: list[Nouns]

    def batches(self, tokenizer: PreTrainedTokenizerFast, rng: random.Random) -> Iterator[Any]:
        """Draw features, each time with a new caption, without end: lists of (token ids, row)."""
        while True:
            rows = [rng.randrange(len(self.looks)) for _ in range(_POOL * PAIRS)]
            texts = [describe(self.looks[i], self.nouns[self.labels[i]], rng) for i in rows]
            ids = [[*each[:CAPTION_TOKENS], END_ID] for each in encode(tokenizer, texts)]
            yield from sorted_batches(list(zip(ids, rows, strict=True)), PAIRS, rng)


def encode(tokenizer: PreTrainedTokenizerFast, sentences: Sequence[str]) -> list[Ids]:
    """Token ids of sentences, each after a space."""
    texts = [f" {sentence}" for sentence in sentences]
    return [found.ids for found in tokenizer.backend_tokenizer.encode_batch(texts)]


def sorted_batches(entries: list[Any], size: int, rng: random.Random) -> list[Any]:
    """Cut entries (token ids first) into batches of similar length, in random order."""
    by_length = sorted(entries, key=lambda entry: len(entry[0]))
    batches = [by_length[k : k + size] for k in range(0, len(by_length), size)]
    rng.shuffle(batches)
    return batches


def sequence(sentences: Sequence[Ids], rng: random.Random) -> Ids:
    """The end-of-text token and a group's sentences in random order, as many as fit."""
    ids = [END_ID]
    for sentence in rng.sample(sentences, len(sentences)):
        if len(ids) + len(sentence) > SEQUENCE_TOKENS:
            break
        ids += sentence
    return ids


def text_batches(groups: Sequence[list[Ids]], rng: random.Random) -> Iterator[Any]:
    """Draw sequences of groups, without end: lists of (token ids,)."""
    while True:
        drawn = rng.sample(groups, min(len(groups), _POOL * TEXTS))
        yield from sorted_batches([(sequence(group, rng),) for group in drawn], TEXTS, rng)


def padded(sequences: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Token ids (B, L), END_ID behind the end, and where there are any (B, L)."""
    tensors = [torch.tensor(ids) for ids in sequences]
    ids = nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=END_ID)
    lengths = torch.tensor([len(each) for each in sequences])
    return ids, torch.arange(ids.shape[1]) < lengths[:, None]
