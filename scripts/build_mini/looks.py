"""What the pixels of the plain things show: appearances, and one embedded caption each."""

import json
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scripts.build_mini.appearance import (
    Appearance,
    Colour,
    Nouns,
    analyse_batch,
    describe,
    nouns_for,
)
from scripts.build_mini.cache import open_album
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.minilm import MiniLM
from scripts.build_mini.places import Places, add_data, add_threads, add_wordnet, parser

_CHUNK = 512


def analyse_rows(pixels: NDArray[np.uint8], masks: NDArray[Any]) -> list[Appearance]:
    """Analyse many photos (N, h, w, 3) in chunks; masks as in `analyse_batch`."""
    found: list[Appearance] = []
    for start in range(0, len(pixels), _CHUNK):
        part = slice(start, start + _CHUNK)
        found += analyse_batch(np.asarray(pixels[part]), np.asarray(masks[part]))
    return found


def write_looks(path: Path, looks: Iterable[Appearance]) -> None:
    """Write one appearance a line as JSON."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(look)) + "\n" for look in looks)


def read_looks(path: Path) -> list[Appearance]:
    """Read what `write_looks` wrote."""
    with path.open(encoding="utf-8") as file:
        return [read_look(json.loads(line)) for line in file]


def read_look(stored: dict[str, Any]) -> Appearance:
    """Make an appearance of what JSON gives."""
    colours = {
        field: tuple(Colour(**colour) for colour in stored[field])
        for field in ("colours", "accents", "surroundings")
    }
    return Appearance(**{**stored, **colours, "largest": tuple(stored["largest"])})


def class_nouns(data: Path, wordnet: Path) -> list[Nouns]:
    """Find the words by which captions may call the classes."""
    classes = read_classes(data / FILE)
    return [nouns_for(each.wnid, ", ".join(each.synonyms), wordnet) for each in classes]


def write_captions(
    looks: Sequence[Appearance], labels: Sequence[int], nouns: Sequence[Nouns]
) -> list[str]:
    """Write one caption for each photo."""
    rng = random.Random(0)
    return [describe(look, nouns[label], rng) for look, label in zip(looks, labels, strict=True)]


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    album = open_album(places.cache / Places.THINGS)
    started = time.monotonic()
    looks = analyse_rows(album.pixels, album.boxes)
    write_looks(places.looks, looks)
    print(f"{len(looks)} photos analysed, {time.monotonic() - started:.0f} s", flush=True)
    labels = album.labels.tolist()
    captions = write_captions(looks, labels, class_nouns(given.data, given.wordnet))
    embeddings = MiniLM(places.minilm).encode(captions)
    np.save(places.caption_embeddings, embeddings.half().numpy())
    print(f"captions embedded, {time.monotonic() - started:.0f} s; the first: {captions[0]}")


if __name__ == "__main__":
    main()
