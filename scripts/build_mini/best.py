"""What the assembled captioner says of training pictures, the best of several tries.

Each picture is captioned greedily and by samples; the CLIP's own text tower, the pixels and, of
photos with sentences, what people wrote choose among them. `refine` teaches the captioner to say
the chosen one at once (best-of-N, as Dong et al. 2023, arXiv 2304.06767, with CLIP as the reward).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.config import IndexConfig
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import ClipCap
from mapcap.networks.embedded import MINI, embedded
from mapcap.networks.language_models import load_language_model
from mapcap.networks.linears import use_onednn
from mapcap.relevance import chefer
from mapcap.representations import encode_images, pooled
from mapcap.texts.captions import tidy
from mapcap.zero_shot import class_weights
from scripts.build_mini import people, photos, stamps
from scripts.build_mini.appearance import Nouns
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.evaluate_words import pixels_of, regions_of
from scripts.build_mini.grounds import parts_beside
from scripts.build_mini.judges import (
    UNNAMED,
    Judge,
    ground_judge,
    held_against,
    human_judge,
    stamp_judge,
    thing_judge,
)
from scripts.build_mini.looks import class_nouns
from scripts.build_mini.masks import box_patches
from scripts.build_mini.people import shows_human
from scripts.build_mini.pictures import look
from scripts.build_mini.places import (
    Places,
    add_data,
    add_stamps,
    add_threads,
    add_turn,
    add_wordnet,
    parser,
)
from scripts.build_mini.probe import Probe, load_probe, read_labelled

THINGS = 3_200
"""Photos of things whose regions are captioned, the classes taking turns, beside those that
somebody looked at; each turn has its own."""
RENDERS = 2
"""Renders of each stamp; each turn has its own."""
SAMPLES, TOP_P, TEMPERATURE = 4, 0.9, 0.7
LIKELY = 0.1
"""Cosines that a nat of mean log-probability weighs."""
BATCH = 64

Render = tuple[stamps.Stamp, int]
"""A stamp, and which of its pictures."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Features (B, D) of pictures or parts of them, and who judges what is said of each."""

    features: Tensor
    judges: Sequence[Judge]


def seen_people(clip: Clip, root: Path, told: Sequence[people.Described]) -> Iterator[Seen]:
    """Show whole photos that people described."""
    for start in range(0, len(told), BATCH):
        part = told[start : start + BATCH]
        views = look(clip, [root / people.FOLDER / each.file for each in part])
        judges = [human_judge(shows_human(each)) for each in part]
        yield Seen(encode_images(clip.model, views).float(), judges)


def seen_things(
    clip: Clip,
    paths: Sequence[Path],
    labels: Sequence[int],
    weights: Tensor,
    nouns: Sequence[Nouns],
    probe: Probe,
    labelled: Mapping[str, bool],
) -> Iterator[Seen]:
    """Show the regions of things as a run finds them, by the relevance of their own class."""
    for start in range(0, len(paths), BATCH):
        views = look(clip, paths[start : start + BATCH])
        targets = torch.tensor(labels[start : start + BATCH])
        grids = chefer(clip.model, views, weights, targets).float().numpy()
        found = [regions_of(grid, clip, IndexConfig.threshold) for grid in grids]
        kept = [i for i, regions in enumerate(found) if regions]
        masks = [np.array([r.patches for r in found[i]], dtype=bool) for i in kept]
        pixels = pixels_of(clip, views)
        features = pooled(clip.model, views[kept], masks).float()
        flat = [(i, region) for i in kept for region in found[i]]
        judges = [
            thing_judge(
                nouns[labels[start + i]],
                pixels[i],
                region.mask,
                False if labelled.get(paths[start + i].name) is False else human,
            )
            for (i, region), human in zip(flat, probe.verdicts(features), strict=True)
        ]
        yield Seen(features, judges)


def seen_stamps(clip: Clip, renders: Sequence[Render]) -> Iterator[Seen]:
    """Show renders of stamps: their boxes, as regions are shown."""
    for drawn, views, made in _rendered(clip, renders):
        boxes = [np.array([box_patches(np.array(view.box), clip.grid)]) for view, _ in made]
        judges = [
            stamp_judge(stamp, view.pixels, mask)
            for (stamp, _), (view, mask) in zip(drawn, made, strict=True)
        ]
        yield Seen(pooled(clip.model, views, boxes).float(), judges)


def seen_grounds(clip: Clip, renders: Sequence[Render]) -> Iterator[Seen]:
    """Show parts of the same renders that lie beside the stamp."""
    rng = np.random.default_rng(3)
    for drawn, views, made in _rendered(clip, renders):
        boxes = np.array([view.box for view, _ in made])
        kept, parts = parts_beside(boxes, clip.grid, rng)
        judges = [
            ground_judge(stamps.ground(*drawn[i]), part)
            for i, part in zip(kept, parts, strict=True)
        ]
        yield Seen(pooled(clip.model, views[kept], list(parts[:, None])).float(), judges)


def _rendered(
    clip: Clip, renders: Sequence[Render]
) -> Iterator[tuple[Sequence[Render], Tensor, list[Any]]]:
    for start in range(0, len(renders), BATCH):
        part = renders[start : start + BATCH]
        made = [stamps.render(*each) for each in part]
        yield part, torch.stack([clip.preprocess(view.picture) for view, _ in made]), made


def best_captions(clip: Clip, captioner: ClipCap, seen: Seen, seed: int) -> list[str]:
    """Caption features greedily and by samples, and choose the best of each one's captions.

    "" where even that is punished: it would teach what is wrong.
    """
    tries = [captioner.generate(seen.features)]
    for turn in range(SAMPLES):
        tries.append(
            captioner.generate(
                seen.features,
                method="nucleus",
                top_p=TOP_P,
                temperature=TEMPERATURE,
                seed=SAMPLES * seed + turn,
            )
        )
    said = [[tidy(caption) for caption in row] for row in zip(*tries, strict=True)]
    texts = sorted({caption.text for row in said for caption in row})
    embedded_texts = class_weights(clip.model, clip.tokenizer, texts).float()
    cosines = F.normalize(seen.features, dim=1) @ F.normalize(embedded_texts, dim=1).T  # (B, T)
    place = {text: i for i, text in enumerate(texts)}
    best = [
        max(
            row,
            key=lambda caption: (
                float(near[place[caption.text]])
                + LIKELY * caption.log_probability
                - held_against(judge, caption.text)
            ),
        ).text
        for row, near, judge in zip(said, cosines, seen.judges, strict=True)
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
            texts = np.array(best_captions(clip, captioner, seen, number))
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


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_wordnet(options)
    add_stamps(options)
    add_threads(options)
    add_turn(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    folder, before = places.best(given.turn), given.turn - 1
    folder.mkdir(exist_ok=True)
    photos.unpack(given.data, places.photos)
    clip, captioner = load_clip(MINI, device=torch.device("cpu")), load_assembled()
    use_onednn(captioner.language_model)
    told = people.read_described(given.data / people.TABLE, "train")
    classes = read_classes(given.data / FILE)
    labelled = read_labelled()
    things = [
        (path, label)
        for i, (path, label) in enumerate(
            zip(*photos.training_photos(places.photos, classes), strict=True)
        )
        if i // THINGS == before or path.name in labelled
    ]
    paths, labels = zip(*things, strict=True)
    cutouts = stamps.training_stamps(given.stamps)
    numbers = range(before * RENDERS, given.turn * RENDERS)
    renders = [(stamp, number) for number in numbers for stamp in cutouts]
    nouns = class_nouns(given.data, given.wordnet)
    weights = class_weights(clip.model, clip.tokenizer, [each.name for each in classes])
    probe = load_probe(places.probe)
    for kind, shown in (
        ("people", seen_people(clip, places.photos, told)),
        ("stamps", seen_stamps(clip, renders)),
        ("grounds", seen_grounds(clip, renders)),
        ("things", seen_things(clip, paths, labels, weights, nouns, probe, labelled)),
    ):
        write_best(clip, captioner, shown, kind, folder)


if __name__ == "__main__":
    main()
