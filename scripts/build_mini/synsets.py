"""WordNet's nouns: words, gloss and hypernyms of a synset (the format is wndb(5WN))."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ABOVE_ALL_USE = frozenset(
    (
        "entity",
        "physical entity",
        "object",
        "whole",
        "artifact",
        "living thing",
        "organism",
        "matter",
        "abstraction",
        "instrumentality",
        "thing",
        "causal agent",
        "unit",
        "chordate",
        "vertebrate",
        "placental",
    )
)
_HYPERNYM = ("@", "@i")


@dataclass(frozen=True)
class Synset:
    """One meaning: its words, the offsets of its hypernyms, its gloss."""

    words: tuple[str, ...]
    parents: tuple[str, ...]
    gloss: str

    @property
    def definition(self) -> str:
        """The gloss up to its first semicolon, without examples."""
        return self.gloss.split(";")[0]


def read_synsets(wordnet: Path) -> dict[str, Synset]:
    """Read data.noun of WordNet 3.0: synsets by offset."""
    lines = (wordnet / "data.noun").read_text(encoding="ascii").splitlines()
    return dict(_synset(line) for line in lines if not line.startswith("  "))  # the licence


def _synset(line: str) -> tuple[str, Synset]:
    data, _, gloss = line.partition("|")
    fields = data.split()
    count = int(fields[3], 16)
    words = tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2])
    start = 5 + 2 * count
    pointers = fields[start : start + 4 * int(fields[start - 1])]
    triples = zip(pointers[::4], pointers[1::4], pointers[2::4], strict=True)
    parents = tuple(to for kind, to, part in triples if kind in _HYPERNYM and part == "n")
    return fields[0], Synset(words, parents, gloss.strip())


def hypernym_words(synsets: Mapping[str, Synset], offset: str) -> list[str]:
    """Walk up by the first hypernym: the first word of each, nearest first, without vague ones."""
    words = []
    while synsets[offset].parents:
        offset = synsets[offset].parents[0]
        words.append(synsets[offset].words[0])
    return [word for word in words if word not in _ABOVE_ALL_USE]
