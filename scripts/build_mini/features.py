"""Features of whole pictures and parts of them, each with what may be said of it.

These are the pairs that the captioner learns from: photos of people with people's sentences, parts
of these with the noun phrase that fits best, things and stamps with what the pixels show, and with
the human who is in the picture too, if there is one. A part is read as the package's `pooled`
representation reads a region.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini import noun_phrases, people, photos, stamps
from scripts.build_mini.appearance import Appearance
from scripts.build_mini.assemble import GRID
from scripts.build_mini.cache import PEOPLE_PLAIN, Album, open_album
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.grounds import SETTINGS, parts_beside
from scripts.build_mini.looks import analyse_rows, class_nouns, read_look
from scripts.build_mini.masks import blob, box_patches, with_cls
from scripts.build_mini.minilm import MiniLM
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_wordnet,
    parser,
)
from scripts.build_mini.probe import Probe, fit_probe, read_labelled
from scripts.build_mini.teaching import ANIMALS
from scripts.build_mini.vision import End, build_vit, half_precision, load_end

THINGS = 12_000
"""The first so many plain things."""
ALONE = ANIMALS | {"food", "fruit", "structure", "land", "walls", "paint", "surface"}
"""Kinds of things that are mostly photographed without people."""
HUMANS = (
    "a man", "a woman", "a boy", "a girl", "a child", "a baby", "a person", "people", "two people",
    "a hand",
)  # fmt: skip
LEAST_AHEAD = 0.02
"""Cosine by which a region's phrase, less its mean, must be nearer than the photo's others."""
_BATCH = 256


@dataclass(frozen=True)
class Pair:
    """What may be said of one feature: texts, or a look of a class or a stamp."""

    texts: tuple[str, ...] = ()
    look: Appearance | None = None
    label: int = -1
    """Class of the look."""
    stamp: int = -1
    human: str = ""
    """The human who is there beside the thing."""
    beside: bool = False
    """Whether it shows what lies beside a thing or a stamp."""


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write one pair a line as JSON."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(pair)) + "\n" for pair in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """Read what `write_pairs` wrote."""
    with path.open(encoding="utf-8") as file:
        return [_pair(json.loads(line)) for line in file]


def _pair(stored: dict[str, Any]) -> Pair:
    look = stored["look"] and read_look(stored["look"])
    return Pair(**{**stored, "texts": tuple(stored["texts"]), "look": look})


def batches(count: int) -> Iterator[NDArray[np.intp]]:
    """Cut rows into batches."""
    return (np.arange(k, min(k + _BATCH, count)) for k in range(0, count, _BATCH))


def region_masks(
    boxes: NDArray[np.floating[Any]], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Patches of boxes (B, 4) and of a part of each: (B, gh, gw) twice."""
    wholes = [box_patches(box, GRID) for box in boxes]
    return np.stack(wholes), np.stack([blob(whole, rng) for whole in wholes])


@torch.inference_mode()
def read(
    end: End, album: Album, rows: NDArray[np.intp], masks: Sequence[NDArray[np.bool_]] = ()
) -> list[Tensor]:
    """Features (B, D) of whole views and of their parts."""
    seen = [None, *(torch.from_numpy(with_cls(mask)) for mask in masks)]
    with half_precision():
        return [z.float() for z in end.regions(album.inputs(rows), seen)]


def nearest_phrases(
    regions: Tensor, phrases: Sequence[Sequence[str]], embedded: dict[str, Tensor]
) -> list[str]:
    """Choose for each region (R, D) the phrase of its photo that is clearly nearest, else "".

    A phrase's mean cosine with all regions is taken off: some phrases are near to everything.
    """
    z = F.normalize(regions, dim=1)
    names = sorted(embedded)
    place = {name: i for i, name in enumerate(names)}
    texts = torch.stack([embedded[name] for name in names])
    usual = texts @ z.mean(0)
    chosen = []
    for row, own in zip(z, phrases, strict=True):
        rows = [place[name] for name in own]
        if not rows:
            chosen.append("")
            continue
        ahead = texts[rows] @ row - usual[rows]
        best, second = torch.cat([ahead, torch.tensor([0.0])]).topk(2).values.tolist()
        chosen.append(own[int(ahead.argmax())] if best - second >= LEAST_AHEAD else "")
    return chosen


def people_pairs(
    end: End, album: Album, told: Sequence[people.Described], chunker: Any, encode: Any
) -> tuple[Tensor, list[Pair]]:
    """Features and texts of Flickr8k's plain views and of two parts of each."""
    rng = np.random.default_rng(1)
    everywhere = np.ones(GRID, bool)
    wholes: list[Tensor] = []
    parts: list[Tensor] = []
    for rows in batches(len(album.labels)):
        masks = [np.stack([blob(everywhere, rng) for _ in rows]) for _ in range(2)]
        whole, *regions = read(end, album, rows, masks)
        wholes.append(whole)
        parts.append(torch.stack(regions, 1))
    spoken = [
        tuple(sorted({p for s in each.sentences for p in chunker.phrases(s)})) for each in told
    ]
    names = sorted({phrase for own in spoken for phrase in own})
    embedded = dict(zip(names, encode(names), strict=True))
    own = [spoken[label] for label in album.labels]
    features, pairs = [*wholes], [Pair(told[label].sentences) for label in album.labels]
    for part in torch.cat(parts).unbind(1):
        chosen = nearest_phrases(part, own, embedded)
        kept = [i for i, phrase in enumerate(chosen) if phrase]
        features.append(part[kept])
        pairs += [Pair((f"{chosen[i]}.",)) for i in kept]
    return torch.cat(features), pairs


def who_is_there(z: Tensor, sees: Tensor, humans: Tensor) -> list[str]:
    """Name the human in each of some pictures (N, D), "" where none is to be seen (N,).

    `humans` (H, D) are the embedded `HUMANS`; each one's mean cosine with the pictures that show
    any human is taken off, as some are near to everything.
    """
    if not sees.any():
        return [""] * len(z)
    cosines = F.normalize(z, dim=1) @ humans.T  # (N, H)
    best = (cosines - cosines[sees].mean(0)).argmax(1).tolist()
    return [HUMANS[i] if there else "" for i, there in zip(best, sees.tolist(), strict=True)]


@dataclass(frozen=True)
class Eye:
    """Who is in photos of things: by the probe, unless somebody looked."""

    probe: Probe
    looked: Sequence[bool | None]
    """What was seen by eye in each photo, None where nobody looked."""

    def sees(self, z: Tensor, rows: NDArray[np.intp], whole: bool) -> Tensor:
        """Whether these photos, or parts of them, show a human: features (B, D) to (B,) bool."""
        found = self.probe.sees(z)
        for i, row in enumerate(rows):
            if (shown := self.looked[row]) is not None and (whole or not shown):
                found[i] = shown
        return found


def thing_pairs(
    end: End, album: Album, count: int, eye: Eye, humans: Tensor
) -> tuple[Tensor, list[Pair]]:
    """Features and looks of plain things, of their boxes and of a part of each.

    Of those that lie in grass, leaves, sand or before the sky, a part of that, too. `humans` as of
    `who_is_there`.
    """
    rng, started = np.random.default_rng(0), time.monotonic()
    features: list[Tensor] = []
    pairs: list[Pair] = []
    for rows in batches(min(count, len(album.labels))):
        pixels, boxes = np.asarray(album.pixels[rows]), np.asarray(album.boxes[rows])
        inside, part = region_masks(boxes, rng)
        settings: list[str] = []
        for z, masks in zip(
            read(end, album, rows, (inside, part)), (boxes, inside, part), strict=True
        ):
            features.append(z)
            looks = analyse_rows(pixels, masks)
            sees = eye.sees(z, rows, whole=masks is boxes)
            settings = settings or [look.setting for look in looks]
            pairs += [
                Pair(look=look, label=int(album.labels[row]), human=human)
                for look, row, human in zip(looks, rows, who_is_there(z, sees, humans), strict=True)
            ]
        told = [i for i, setting in enumerate(settings) if setting in SETTINGS]
        kept, beside = parts_beside(boxes[told], GRID, rng)
        if kept:
            features.append(read(end, album, rows[told][kept], (beside,))[1])
            pairs += [Pair(SETTINGS[settings[told[i]]], beside=True) for i in kept]
        if rows[0] % (20 * _BATCH) == 0:
            print(f"{rows[-1] + 1} things, {time.monotonic() - started:.0f} s", flush=True)
    return torch.cat(features), pairs


def stamp_pairs(end: End, album: Album, found: Sequence[stamps.Stamp]) -> tuple[Tensor, list[Pair]]:
    """Features and looks of the stamps' renders, their boxes, and what lies beside these."""
    rng, listed = np.random.default_rng(2), stamps.renders(found)
    features: list[Tensor] = []
    pairs: list[Pair] = []
    for rows in batches(len(album.labels)):
        boxes = np.asarray(album.boxes[rows])
        inside = np.stack([box_patches(box, GRID) for box in boxes])
        looks = analyse_rows(np.asarray(album.pixels[rows]), boxes)
        for z in read(end, album, rows, (inside,)):
            features.append(z)
            pairs += [
                Pair(look=look, stamp=int(album.labels[row]))
                for look, row in zip(looks, rows, strict=True)
            ]
        for _ in range(2):
            kept, parts = parts_beside(boxes, GRID, rng)
            features.append(read(end, album, rows[kept], (parts,))[1])
            for row, part in zip(rows[kept], parts, strict=True):
                number, turn = listed[row]
                behind = stamps.ground(found[number], turn)
                pairs.append(Pair(behind.texts(part), beside=True))
    return torch.cat(features), pairs


def learn_humans(
    end: End,
    things: Album,
    humans: Album,
    told: Sequence[people.Described],
    kinds: Sequence[str],
    looked: Sequence[bool | None],
) -> Probe:
    """Teach the probe on small views of photos whose sentences agree, and on things.

    Of these on kinds that stand alone, and on those photos that somebody looked at.
    """
    first = len(humans.labels) // PEOPLE_PLAIN
    shows = [people.shows_human(told[label]) for label in humans.labels[first:]]
    alone = [i for i in range(THINGS) if kinds[things.labels[i]] in ALONE and looked[i] is None]
    by_eye = [i for i, shown in enumerate(looked) if shown is not None]

    def features(album: Album, rows: Sequence[int]) -> Tensor:
        parts = [np.array(rows[k : k + _BATCH]) for k in range(0, len(rows), _BATCH)]
        return torch.cat([read(end, album, part)[0] for part in parts])

    with_humans, nobody = (
        [first + i for i, shown in enumerate(shows) if shown is wanted] for wanted in (True, False)
    )
    return fit_probe(
        features(humans, with_humans),
        features(humans, nobody),
        features(things, alone),
        features(things, by_eye),
        torch.tensor([looked[i] is True for i in by_eye]),
    )


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_stamps(options)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    things, humans, cutouts = (
        open_album(places.cache / name) for name in (Places.THINGS, Places.PEOPLE, Places.STAMPS)
    )
    end = load_end(build_vit(places.vit), places.cycles)
    encode = MiniLM(places.minilm).encode
    told = people.read_described(given.data / people.TABLE, "train")
    chunker = noun_phrases.learn((s for each in told for s in each.sentences), given.wordnet)
    kinds = [nouns.kind for nouns in class_nouns(given.data, given.wordnet)]
    labelled = read_labelled()
    paths, _ = photos.training_photos(places.photos, read_classes(given.data / FILE))
    looked = [labelled.get(path.name) for path in paths[: len(things.labels)]]
    with torch.inference_mode(False):
        probe = learn_humans(end, things, humans, told, kinds, looked)
    probe.save(places.probe)
    print(
        f"humans are seen from a score of {probe.threshold:.2f}, surely none up to "
        f"{probe.surely_none:.2f}",
        flush=True,
    )
    found = [
        people_pairs(end, humans, told, chunker, encode),
        thing_pairs(end, things, THINGS, Eye(probe, looked), encode(HUMANS)),
        stamp_pairs(end, cutouts, stamps.training_stamps(given.stamps, places.emoji)),
    ]
    for name, (_, pairs) in zip(("people", "things", "stamps"), found, strict=True):
        shown = sum(bool(pair.human) for pair in pairs)
        print(f"{name}: {len(pairs)} pairs, {shown} with a human beside")
    np.save(places.features, torch.cat([z for z, _ in found]).half().numpy())
    write_pairs(places.pairs, [pair for _, pairs in found for pair in pairs])


if __name__ == "__main__":
    main()
