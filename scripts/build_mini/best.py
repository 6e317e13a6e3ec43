"""What the assembled captioner says of training pictures, the best of several tries.

Each picture is captioned greedily and by samples; the CLIP's own text tower, the pixels and, of
photos with sentences, what people wrote choose among them. `refine` teaches the captioner to say
the chosen one at once (best-of-N, as Dong et al. 2023, arXiv 2304.06767, with CLIP as the reward).
"""

from collections.abc import Callable, Iterator, Sequence
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
from scripts.build_mini.appearance import first_colour_is_large
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.evaluate_words import pixels_of, regions_of
from scripts.build_mini.people import names_human, shows_human
from scripts.build_mini.pictures import look
from scripts.build_mini.places import Places, add_data, add_stamps, add_threads, add_turn, parser

THINGS = 3_200
"""Photos of things whose regions are captioned, the classes taking turns."""
RENDERS = 2
"""Renders of each stamp."""
SAMPLES, TOP_P, TEMPERATURE = 4, 0.9, 0.7
LIKELY = 0.1
"""Cosines that a nat of mean log-probability weighs."""
WRONG_COLOUR, NO_COLOUR, WRONG_HUMAN = 0.06, 0.02, 0.1
"""Cosines that are taken off."""
BATCH = 64

Judge = Callable[[str], float]
"""What is taken off a caption's reward."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Features (B, D) of pictures or parts of them, and who judges what is said of each."""

    features: Tensor
    judges: Sequence[Judge]


def human_judge(shown: bool | None) -> Judge:
    """Punish a caption that leaves out the human whom all sentences name, or invents one."""
    return lambda text: 0.0 if shown is None else WRONG_HUMAN * (names_human(text) != shown)


def colour_judge(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Judge:
    """Punish a first colour that is none of the region's two largest, and none at all a little."""

    def judge(text: str) -> float:
        large = first_colour_is_large(text, pixels, mask)
        return NO_COLOUR if large is None else WRONG_COLOUR * (not large)

    return judge


def seen_people(clip: Clip, root: Path, told: Sequence[people.Described]) -> Iterator[Seen]:
    """Show whole photos that people described."""
    for start in range(0, len(told), BATCH):
        part = told[start : start + BATCH]
        views = look(clip, [root / people.FOLDER / each.file for each in part])
        judges = [human_judge(shows_human(each)) for each in part]
        yield Seen(encode_images(clip.model, views).float(), judges)


def seen_things(
    clip: Clip, paths: Sequence[Path], labels: Sequence[int], weights: Tensor
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
        judges = [colour_judge(pixels[i], region.mask) for i in kept for region in found[i]]
        yield Seen(pooled(clip.model, views[kept], masks).float(), judges)


def seen_stamps(clip: Clip, found: Sequence[stamps.Stamp]) -> Iterator[Seen]:
    """Show renders of stamps, whole."""
    drawn = [(stamp, turn) for turn in range(RENDERS) for stamp in found]
    for start in range(0, len(drawn), BATCH):
        made = [stamps.render(*each) for each in drawn[start : start + BATCH]]
        views = torch.stack([clip.preprocess(view.picture) for view, _ in made])
        judges = [colour_judge(view.pixels, mask) for view, mask in made]
        yield Seen(encode_images(clip.model, views).float(), judges)


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
                - judge(caption.text)
            ),
        ).text
        for row, near, judge in zip(said, cosines, seen.judges, strict=True)
    ]
    return ["" if judge(text) else text for text, judge in zip(best, seen.judges, strict=True)]


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
    add_stamps(options)
    add_threads(options)
    add_turn(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    folder = places.best(given.turn)
    folder.mkdir(exist_ok=True)
    photos.unpack(given.data, places.photos)
    clip, captioner = load_clip(MINI, device=torch.device("cpu")), load_assembled()
    use_onednn(captioner.language_model)
    told = people.read_described(given.data / people.TABLE, "train")
    classes = read_classes(given.data / FILE)
    paths, labels = photos.training_photos(places.photos, classes)
    weights = class_weights(clip.model, clip.tokenizer, [each.name for each in classes])
    for kind, shown in (
        ("people", seen_people(clip, places.photos, told)),
        ("stamps", seen_stamps(clip, stamps.training_stamps(given.stamps))),
        ("things", seen_things(clip, paths[:THINGS], labels[:THINGS], weights)),
    ):
        write_best(clip, captioner, shown, kind, folder)


if __name__ == "__main__":
    main()
