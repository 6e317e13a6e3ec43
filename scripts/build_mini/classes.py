"""The 200 classes of TinyImageNet, and which of them a training may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = "tiny-imagenet-classes.tsv"
_KEEP_OUT_EVERY = 9
"""Of the classes that are not the poster's, sorted by id, each ninth is kept out: 20 of 175."""


@dataclass(frozen=True)
class PhotoClass:
    """One class: its WordNet id (`n` and the offset), its name, all its words (the name too)."""

    wnid: str
    name: str
    synonyms: tuple[str, ...]

    @property
    def offset(self) -> str:
        """The byte offset of its line in WordNet's data.noun, as eight digits."""
        return self.wnid[1:]


@dataclass(frozen=True)
class Split:
    """Indices into the classes. Kept-out classes are never trained on; the poster's are."""

    mission: tuple[int, ...]
    kept_out: tuple[int, ...]
    seen: tuple[int, ...]


def read_classes(path: Path) -> list[PhotoClass]:
    """Read the table `wnid, name, synonyms` (tabs, a header; synonyms between commas)."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [
        PhotoClass(wnid, name, tuple(word.strip() for word in words.split(",")))
        for wnid, name, words in rows
    ]


def split_classes(names: Sequence[str], mission: Sequence[str]) -> Split:
    """Split classes by name; `mission` are the poster's.

    Raises:
        ValueError: a mission class is not among the names.
    """
    wanted = tuple(names.index(name) for name in sorted(mission))
    rest = [index for index in range(len(names)) if index not in wanted]
    kept_out = tuple(rest[::_KEEP_OUT_EVERY])
    seen = tuple(index for index in range(len(names)) if index not in kept_out)
    return Split(wanted, kept_out, seen)


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
