"""The text that the language model reads: groups of sentences that speak of the same thing.

A group stands in one sequence, so that p(sentence | other sentence) comes to mean something.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from scripts.build_mini.appearance import Appearance, Nouns, describe
from scripts.build_mini.people import TABLE, read_described, tidy_sentence

Group = list[str]

CLIPCAP = "clipcap-captions"
END = "<|endoftext|>"
VOCABULARY = 4_096

_TOGETHER = 5
_STAMPS = 4
_SHORTEST = 9
SAME_PHOTO, SAME_CLASS = 9_000, 13_000
"""Groups of appearance captions."""
_CAPTIONS_OF_PHOTO, _PHOTOS_OF_CLASS = 3, 4


def real_groups(data: Path, stamps: Path, rng: random.Random) -> list[Group]:
    """Read Flickr8k's sentences by photo, ClipCap's captions by class, and the stamps' sentences.

    Captions that speak of a background are left out: they describe an artefact.
    """
    groups = [list(photo.sentences) for photo in read_described(data / TABLE, "train")]
    for path in sorted((data / CLIPCAP).glob("*/*.txt")):
        found = [s for s in _sentences(path) if "background" not in s and len(s) >= _SHORTEST]
        rng.shuffle(found)
        groups += _cut(found, _TOGETHER)
    told = [path.read_text(encoding="utf-8", errors="replace") for path in _texts(stamps)]
    first_lines = [text.splitlines()[0].strip() for text in told if text.strip()]
    return groups + _cut([tidy_sentence(line) for line in first_lines if line], _STAMPS)


def _texts(stamps: Path) -> list[Path]:
    """List the stamps' texts: their first line is the sentence in English."""
    return sorted(stamps.rglob("*.txt"))


def _sentences(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tidy_sentence(line) for line in lines if line.strip()]


def _cut(sentences: Sequence[str], size: int) -> list[Group]:
    return [list(sentences[start : start + size]) for start in range(0, len(sentences), size)]


def appearance_groups(
    looks: Sequence[Appearance],
    labels: Sequence[int],
    nouns: Sequence[Nouns],
    rng: random.Random,
    counts: tuple[int, int] = (SAME_PHOTO, SAME_CLASS),
) -> list[Group]:
    """Describe the same photo several times, and several photos of the same class.

    `labels` are the classes of all photos, of which `looks` are the first.
    """
    photos: dict[int, list[int]] = defaultdict(list)
    for photo in range(len(looks)):
        photos[labels[photo]].append(photo)
    groups = []
    for _ in range(counts[0]):
        photo = rng.randrange(len(looks))
        noun = nouns[labels[photo]]
        groups.append([describe(looks[photo], noun, rng) for _ in range(_CAPTIONS_OF_PHOTO)])
    for _ in range(counts[1]):
        label = rng.choice(sorted(photos))
        drawn = rng.sample(photos[label], min(_PHOTOS_OF_CLASS, len(photos[label])))
        groups.append([describe(looks[photo], nouns[label], rng) for photo in drawn])
    return groups


def train_tokenizer(
    sentences: Iterable[str], vocabulary: int = VOCABULARY
) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE, as GPT-2's; a sentence begins with a space, like any other word."""
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        (f" {sentence}" for sentence in sentences),
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[END],
    )
    tokenizers: Any = PreTrainedTokenizerFast  # transformers leaves it untyped
    tokenizer: PreTrainedTokenizerFast = tokenizers(
        tokenizer_object=bpe._tokenizer,
        bos_token=END,
        eos_token=END,
        unk_token=END,
        model_max_length=128,
    )
    return tokenizer
