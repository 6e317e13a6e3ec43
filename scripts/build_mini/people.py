"""Flickr8k: photos of people, dogs, water, snow and streets, each with five sentences by people."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

TABLE = "flickr8k-captions.tsv"
ARCHIVE = "flickr8k-images.tar"
FOLDER = "flickr8k"
"""The archive has no folder of its own."""

HUMANS = frozenset(
    """person persons people man men woman women boy boys girl girls child children kid kids baby
    babies infant toddler toddlers lady ladies guy guys gentleman someone somebody couple crowd
    crowds human humans adult adults teenager teenagers family friend friends mother father mom dad
    son daughter brother sister player players skier skiers surfer surfers biker bikers cyclist
    cyclists skateboarder skateboarders snowboarder snowboarders climber climbers hiker hikers
    rider riders runner runners swimmer swimmers team performer performers dancer dancers musician
    musicians worker workers soldier soldiers policeman officer athlete athletes artist clown
    spectator spectators pedestrian pedestrians tourist tourists motorcyclist rollerblader
    wakeboarder bicyclist bicyclists racer racers diver fisherman drummer guitarist singer
    student students hand hands face faces finger fingers arm arms leg legs""".split()
)
"""Words that name a human or a part of one."""


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


def names_human(text: str) -> bool:
    """Whether a text names a human or a part of one."""
    return any(word in HUMANS for word in re.findall(r"[a-z]+", text.lower()))


def shows_human(photo: Described) -> bool | None:
    """Whether all sentences of a photo name a human (True), none does (False), or some do."""
    named = [names_human(sentence) for sentence in photo.sentences]
    return named[0] if len(set(named)) == 1 else None
