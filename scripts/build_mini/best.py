"""What the assembled captioner says of training pictures, the best of several tries.

Each picture is captioned by beam search, and what people or the pixels say of it is put beside the
beams; the CLIP's own text tower and what is known of the picture choose among them. `refine`
teaches the captioner to say the chosen one at once (best-of-N, as Dong et al. 2023, arXiv
2304.06767, with CLIP as the reward).
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import ClipCap
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.language_models import load_language_model
from mapcap.networks.linears import use_onednn
from mapcap.texts.captions import tidy
from mapcap.zero_shot import class_weights
from scripts.build_mini import people, photos, stamps
from scripts.build_mini.cache import PASTED
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.judges import UNNAMED, held_against
from scripts.build_mini.looks import class_nouns
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_wordnet,
    parser,
)
from scripts.build_mini.probe import load_probe, read_labelled
from scripts.build_mini.shown import (
    Seen,
    Things,
    pasted,
    photo_of,
    seen_grounds,
    seen_people,
    seen_stamps,
)
from scripts.build_mini.workers import side_by_side

KINDS = ("things", "people", "pasted", "stamps", "grounds")
"""What there is to show; what takes longest comes first."""
THINGS = 7_000
"""Photos of things whose regions are captioned, the classes taking turns, beside those that
somebody looked at."""
GROUNDS = 5_400
"""Renders of which what lies beside the stamp is shown."""
BEAMS = 6
"""Captions of each picture that are chosen among."""
LIKELY = 0.1
"""Cosines that a nat of mean log-probability weighs."""
USUAL = 0.5
"""Share of a caption's mean cosine with all pictures beside it that is taken off: what is near to
any ("a structure", "a creature") says little of one."""


def best_captions(clip: Clip, captioner: ClipCap, seen: Seen) -> list[str]:
    """Caption features by beam search, and choose the best of each one's captions.

    What is told of a picture is among them, as likely as the least likely of its beams. "" where
    even the best is punished: it would teach what is wrong.
    """
    said = [
        {text: min(caption.log_probability for caption in row) for text in told}
        | {tidy(caption).text: caption.log_probability for caption in reversed(row)}
        for row, told in zip(captioner.likeliest(seen.features, BEAMS), seen.told, strict=True)
    ]
    texts = sorted(set().union(*said))
    embedded_texts = class_weights(clip.model, clip.tokenizer, texts).float()
    cosines = F.normalize(seen.features, dim=1) @ F.normalize(embedded_texts, dim=1).T  # (B, T)
    rewards = cosines - USUAL * cosines.mean(0)
    place = {text: i for i, text in enumerate(texts)}
    best = [
        max(
            row,
            key=lambda text: (
                float(near[place[text]]) + LIKELY * row[text] - held_against(judge, text)
            ),
        )
        for row, near, judge in zip(said, rewards, seen.judges, strict=True)
    ]
    return [
        "" if held_against(judge, text) > UNNAMED else text
        for text, judge in zip(best, seen.judges, strict=True)
    ]


def write_best(
    clip: Clip, captioner: ClipCap, shown: Iterator[Seen], kind: str, folder: Path
) -> None:
    """Write each batch's features, captions and their rows among all that are shown.

    Batches that are there already are passed over.
    """
    first = 0
    for number, seen in enumerate(shown):
        path = folder / f"{kind}-{number:04}.npz"
        if not path.exists():
            texts = np.array(best_captions(clip, captioner, seen))
            kept = np.flatnonzero(texts != "")
            half = path.with_suffix(".part.npz")
            features = seen.features.half().numpy()
            np.savez(half, features=features[kept], texts=texts[kept], rows=first + kept)
            half.rename(path)
            print(f"{kind} {number}: {texts[kept][:2].tolist()}", flush=True)
        first += len(seen.features)


@dataclass(frozen=True, eq=False)
class Best:
    """Features (N, D), what is said of each, its kind, and its row among all shown of the kind."""

    features: Tensor
    texts: Sequence[str]
    kinds: Sequence[str]
    rows: Sequence[int]


def read_best(folder: Path) -> Best:
    """Read what `write_best` wrote."""
    features: list[NDArray[Any]] = []
    texts: list[str] = []
    kinds: list[str] = []
    rows: list[int] = []
    for path in sorted(folder.glob("*-*.npz")):
        if ".part" not in path.suffixes:
            with np.load(path, allow_pickle=False) as stored:
                features.append(stored["features"])
                texts += stored["texts"].tolist()
                rows += stored["rows"].tolist()
                kinds += [path.stem.split("-")[0]] * len(stored["texts"])
    return Best(torch.from_numpy(np.concatenate(features)).float(), texts, kinds, rows)


def load_assembled() -> ClipCap:
    """Load the package's captioner."""
    language = load_language_model(MINI, device=torch.device("cpu"))
    return ClipCap.from_checkpoint(
        embedded("clipcap.safetensors"),
        language_model=language.model,
        tokenizer=language.tokenizer,
    )


def to_show(kind: str, clip: Clip, places: Places, given: argparse.Namespace) -> Iterator[Seen]:
    """Show the pictures of one of `KINDS`."""
    if kind == "people":
        told = people.read_described(given.data / people.TABLE, "train")
        return seen_people(clip, places.photos, told)
    if kind in ("stamps", "grounds"):
        cutouts = stamps.training_stamps(given.stamps, places.emoji)
        renders = [(cutouts[number], turn) for number, turn in stamps.renders(cutouts)]
        if kind == "stamps":
            return seen_stamps(clip, renders)
        return seen_grounds(clip, random.Random(0).sample(renders, GROUNDS))
    classes = read_classes(given.data / FILE)
    things = Things(
        clip,
        class_nouns(given.data, given.wordnet),
        class_weights(clip.model, clip.tokenizer, [each.name for each in classes]),
        load_probe(places.probe),
    )
    found = list(zip(*photos.training_photos(places.photos, classes), strict=True))
    if kind == "pasted":
        boxes = photos.read_boxes(given.data / photos.TRAIN_BOXES)
        # From the list's end, which is not shown as it is.
        tried = (pasted(path, boxes[path.name], label) for path, label in found[-PASTED:])
        return things.seen(things.recognised([thing for thing in tried if thing]))
    labelled = read_labelled()
    return things.seen(
        [
            photo_of(path, label, labelled.get(path.name))
            for place, (path, label) in enumerate(found)
            if place < THINGS or path.name in labelled
        ]
    )


def caption_kind(kind: str, given: argparse.Namespace) -> None:
    """Write the best captions of a kind of pictures."""
    places = Places(given.work)
    clip, captioner = load_clip(MINI, device=torch.device("cpu")), load_assembled()
    use_onednn(captioner.language_model)
    write_best(clip, captioner, to_show(kind, clip, places, given), kind, places.best)


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_stamps(options)
    add_threads(options)
    given = options.parse_args()
    places = Places(given.work)
    places.best.mkdir(exist_ok=True)
    photos.unpack(given.data, places.photos)
    side_by_side(caption_kind, KINDS, given)


if __name__ == "__main__":
    main()
