"""The teacher: all texts' embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from scripts.build_mini import noun_phrases, people
from scripts.build_mini.bank import build_bank
from scripts.build_mini.classes import FILE, Split, read_classes
from scripts.build_mini.looks import class_nouns
from scripts.build_mini.losses import Sentences, Teacher
from scripts.build_mini.minilm import MiniLM
from scripts.build_mini.places import Places
from scripts.build_mini.stamps import training_stamps
from scripts.build_mini.synsets import read_synsets
from scripts.build_mini.tags import Encode, build_tags

ANIMALS = frozenset(("fur", "feathers", "scales", "skin", "body", "wings"))
"""Kinds of things that people seldom hold (of fish and shells they are proud)."""


def load_teacher(places: Places, data: Path, wordnet: Path, stamps: Path, split: Split) -> Teacher:
    """Embed all texts."""
    encode = MiniLM(places.minilm).encode
    bank = build_bank(encode, read_classes(data / FILE), read_synsets(wordnet), split.seen)
    captions = torch.from_numpy(np.load(places.caption_embeddings, allow_pickle=False))
    told = people.read_described(data / people.TABLE, "train")
    chunker = noun_phrases.learn((s for photo in told for s in photo.sentences), wordnet)
    kinds = [nouns.kind for nouns in class_nouns(data, wordnet)]
    return Teacher(
        bank,
        list(split.seen),
        captions,
        embed_sentences([photo.sentences for photo in told], encode),
        embed_sentences([stamp.texts for stamp in training_stamps(stamps, places.emoji)], encode),
        build_tags(told, chunker, encode),
        frozenset(label for label, kind in enumerate(kinds) if kind in ANIMALS),
    )


def embed_sentences(groups: Sequence[Sequence[str]], encode: Encode) -> Sentences:
    """Embed the sentences of each subject."""
    starts = np.cumsum([0, *(len(group) for group in groups)])
    flat = encode([sentence for group in groups for sentence in group])
    return Sentences(flat.half(), torch.from_numpy(starts))
