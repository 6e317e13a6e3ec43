"""Batches of token ids for the language model: captions of features, and groups of sentences."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from scripts.build_mini.appearance import Nouns, describe
from scripts.build_mini.features import Pair

PAIRS, TEXTS = 128, 24
"""Captions and sequences in a batch."""
CAPTION_TOKENS, SENTENCE_TOKENS, SEQUENCE_TOKENS = 30, 40, 64
END_ID = 0
"""The end-of-text token starts every sequence and ends every caption."""
MIXTURE = {
    "people": 0.36, "phrases": 0.11, "things": 0.28, "with humans": 0.10, "stamps": 0.11,
    "grounds": 0.04,
}  # fmt: skip
"""Shares of the captions; see `kind_of`."""
_LINKED = 0.85
_POOL = 8
"""Batches drawn at once and sorted by length, so that little is padding."""

Ids = list[int]


@dataclass(frozen=True)
class Pairs:
    """What may be said of M features, and the words for classes and for stamps."""

    pairs: list[Pair]
    nouns: list[Nouns]
    stamps: list[Nouns]

    def batches(self, tokenizer: PreTrainedTokenizerFast, rng: random.Random) -> Iterator[Any]:
        """Draw features, each time with a new caption, without end: lists of (token ids, row)."""
        kinds: dict[str, list[int]] = {kind: [] for kind in MIXTURE}
        for row, pair in enumerate(self.pairs):
            kinds[kind_of(pair)].append(row)
        there = [kind for kind in kinds if kinds[kind]]
        weights = [MIXTURE[kind] for kind in there]
        while True:
            drawn = rng.choices(there, weights, k=_POOL * PAIRS)
            rows = [rng.choice(kinds[kind]) for kind in drawn]
            ids = encode(tokenizer, [self.say(self.pairs[row], rng) for row in rows])
            entries = [
                ([*each[:CAPTION_TOKENS], END_ID], row) for each, row in zip(ids, rows, strict=True)
            ]
            yield from sorted_batches(entries, PAIRS, rng)

    def say(self, pair: Pair, rng: random.Random) -> str:
        """Write a caption for a feature."""
        if pair.look is None:
            return rng.choice(pair.texts)
        nouns = self.nouns[pair.label] if pair.stamp < 0 else self.stamps[pair.stamp]
        text = describe(pair.look, nouns, rng)
        return beside_human(text, pair.human, nouns.kind, rng) if pair.human else text


def kind_of(pair: Pair) -> str:
    """Name the part of the mixture that a pair belongs to."""
    if pair.beside:
        return "grounds"
    if pair.look is None:
        return "people" if len(pair.texts) > 1 else "phrases"
    if pair.stamp >= 0:
        return "stamps"
    return "with humans" if pair.human else "things"


def beside_human(text: str, human: str, kind: str, rng: random.Random) -> str:
    """Say that a human is there, too: "a man with a brown stick", "a woman wearing a red coat"."""
    if text.startswith("the ") or " is " in text or " are " in text:
        return f"{human} and {text}"
    link = "wearing" if kind == "cloth" else "with"
    return f"{human} {link if rng.random() < _LINKED else 'and'} {text}"


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
