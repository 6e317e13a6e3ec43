"""Flickr8k: photos of people, dogs, water, snow and streets, each with five sentences by people."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from mapcap.texts.humans import names_human

TABLE = "flickr8k-captions.tsv"
ARCHIVE = "flickr8k-images.tar"
FOLDER = "flickr8k"
"""The archive has no folder of its own."""


@dataclass(frozen=True)
class Described:
    """A photo and the sentences that people wrote of it, tidied."""

    file: str
    split: str
    """"train" or "dev"."""
    sentences: tuple[str, ...]


def tidy_sentence(line: str) -> str:
    """Write a sentence as the captions are written: lower case, one full stop, no quotes."""
    bare = line.strip().lower().rstrip(" .").replace('"', "")
    return re.sub(r"\s+([.,!?])", r"\1", re.sub(r"\s+", " ", bare)) + "."


def read_described(path: Path, split: str | None = None) -> list[Described]:
    """Read the table `image, split, caption` (tabs, a header) of one split or all, by file."""
    found: dict[str, tuple[str, list[str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault(row["image"], (row["split"], []))[1].append(
                tidy_sentence(row["caption"])
            )
    return [
        Described(file, of, tuple(sentences))
        for file, (of, sentences) in sorted(found.items())
        if split in (None, of)
    ]


def read_judgements(path: Path) -> dict[str, bool]:
    """Read the table `file, human` (tabs, a header; 1 or 0) of photos that somebody looked at."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {file: human == "1" for file, human in rows}


def shows_human(photo: Described) -> bool | None:
    """Whether all sentences of a photo name a human (True), none does (False), or some do."""
    named = [names_human(sentence) for sentence in photo.sentences]
    return named[0] if len(set(named)) == 1 else None
