"""Nouns for a class: its name, its everyday synonyms and coarser words, from WordNet 3.0.

WordNet's hypernyms are a scholar's ("placental", "instrumentality"); `coarse.COARSE` keeps, by
synset, the ones people use, with other common words for the same thing and the *kind* of the thing,
which says what its colour lies on (fur, feathers, paint ...).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .coarse import COARSE, LAST, MASS, MISLEADING, PLURAL, TOPS

_MOST = 5  # coarse nouns of a class


@dataclass(frozen=True, slots=True)
class Nouns:
    """What a caption may call a thing: exact words, coarse ones (nearest first); its kind."""

    name: str
    synonyms: tuple[str, ...]
    coarse: tuple[str, ...]
    kind: str = "object"


def number(noun: str) -> str:
    """Say whether a noun of this module is a "plural", a "mass" or a "count" noun."""
    if noun in PLURAL:
        return "plural"
    return "mass" if noun in MASS else "count"


def hypernyms(wnid: str, wordnet_dir: Path) -> Iterator[str]:
    """Give a synset's own offset and those of its hypernyms, nearest first, each once.

    `wnid` is "n" and the byte offset of a line in `wordnet_dir`/data.noun (wndb(5WN)). The walk
    does not climb past the synsets above which WordNet has no word that people would use.
    """
    with (wordnet_dir / "data.noun").open("rb") as file:
        seen: set[str] = set()
        level = [wnid[1:]]
        while level:
            above: list[str] = []
            for offset in level:
                if offset in seen:
                    continue
                seen.add(offset)
                yield offset
                if offset not in TOPS:
                    file.seek(int(offset))
                    above += _parents(file.readline().decode("ascii"), offset)
            level = above


def _parents(line: str, offset: str) -> list[str]:
    """Read the hypernym pointers of one line of data.noun."""
    fields = line.split(" | ")[0].split()
    if not fields or fields[0] != offset:
        raise ValueError(f"data.noun has no synset at {offset}: take WordNet 3.0, unchanged")
    at = 4 + 2 * int(fields[3], 16)  # past the words, each with its lex_id
    pointers = fields[at + 1 : at + 1 + 4 * int(fields[at])]
    return [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]


def nouns_for(wnid: str, synonyms: str, wordnet_dir: Path | str) -> Nouns:
    """Give the nouns of one class.

    `synonyms` is the comma-separated list of the class table, its first word the class name;
    `wordnet_dir` holds WordNet 3.0's data.noun. Latin names and misleading words are left out.
    """
    words = [word.strip() for word in synonyms.split(",")]
    name = words[0].lower()
    everyday = [
        word
        for word in dict.fromkeys(words[1:])
        if word == word.lower() and word not in MISLEADING and word != name
    ]
    exact = {word.lower() for word in words}
    coarse: dict[str, None] = {}
    kind = ""
    for offset in hypernyms(wnid, Path(wordnet_dir)):
        own_kind, found = COARSE.get(offset, ("", ()))
        kind = kind or own_kind
        if offset in LAST and len(coarse) > 1:
            continue
        coarse.update((word, None) for word in found if word not in exact)
    return Nouns(name, tuple(everyday), tuple(coarse)[:_MOST], kind or "object")
