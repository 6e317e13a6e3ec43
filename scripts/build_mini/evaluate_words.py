"""The figures of words: sentences found, humans told, captions against sentences and pixels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mapcap.colours import RegionColours, colour_is_right, first_colour_is_large, region_colours
from mapcap.config import IndexConfig
from mapcap.networks.captioners import Captioner, RegionBatch
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.regions import Region, find_regions
from mapcap.representations import encode_images, pooled
from mapcap.text import clean
from mapcap.texts.captions import tidy
from mapcap.texts.humans import names_human
from mapcap.zero_shot import class_weights
from scripts.build_mini.cider import cider_d
from scripts.build_mini.people import Described, read_judgements, shows_human
from scripts.build_mini.pictures import Photos, batches, look
from scripts.build_mini.scoring import area_under_curve, caption_figures, share, stammers

JUDGED = Path(__file__).with_name("judged.tsv")
"""Photos of six of the poster's classes, and whether they show a human: judged by eye."""
NEAREST = 10
SAMPLES = 20

Figures = dict[str, Any]


def read_judged() -> dict[str, bool]:
    """Read which of the judged photos show a human."""
    return read_judgements(JUDGED)


def find_sentences(clip: Clip, features: Tensor, told: Sequence[Described]) -> Figures:
    """How often one of a photo's own sentences is among the nearest of all photos' sentences.

    `features` (N, D) are the photos' own, in the order of `told`.
    """
    z = F.normalize(features, dim=1)
    texts = [sentence for photo in told for sentence in photo.sentences]
    owner = torch.repeat_interleave(
        torch.arange(len(told)), torch.tensor([len(photo.sentences) for photo in told])
    )
    embedded = F.normalize(class_weights(clip.model, clip.tokenizer, texts).float(), dim=1)
    best = (z @ embedded.T).topk(NEAREST).indices
    own = (owner[best] == torch.arange(len(told))[:, None]).any(1)
    shown = np.array([shows_human(photo) for photo in told], object)
    sure = np.array([human is not None for human in shown])
    persons = class_weights(clip.model, clip.tokenizer, ["a person", "no person"]).float()
    scores = (z @ F.normalize(persons, dim=1).T).numpy()[sure]  # (n, 2)
    true = shown[sure].astype(bool)
    return {
        "photos": len(told),
        f"own sentence among {NEAREST} of {len(texts)}": own.float().mean().item(),
        "AUC of a person - no person": area_under_curve(scores[:, 0] - scores[:, 1], true),
        "AUC of a person alone": area_under_curve(scores[:, 0], true),
    }


def caption_people(
    captioner: Captioner,
    features: Tensor,
    colours: Sequence[RegionColours],
    told: Sequence[Described],
) -> Figures:
    """Captions of whole photos against the sentences of people, and whether they name a human."""
    texts = _captions(captioner, features, colours)
    shown = [shows_human(photo) for photo in told]
    named = [names_human(text) for text in texts]
    spread = range(0, len(texts), max(1, len(texts) // SAMPLES))
    return {
        "CIDEr-D": cider_d(texts, [photo.sentences for photo in told]),
        "human named where all name one": share(
            [n for n, s in zip(named, shown, strict=True) if s]
        ),
        "human named where none does": share(
            [n for n, s in zip(named, shown, strict=True) if s is False]
        ),
        "distinct": len(set(texts)) / len(texts),
        "stammers": share([stammers(text) for text in texts]),
        "samples": [f"{clean(texts[i])}  ({told[i].sentences[0]})" for i in spread][:SAMPLES],
    }


def caption_regions(
    clip: Clip, captioner: Captioner, photos: Photos, maps: NDArray[np.float32], threshold: str
) -> tuple[list[str], list[int], list[bool | None], list[bool | None]]:
    """Caption the regions of maps: texts, each one's photo, and what the pixels say of its colours.

    The last two are `colour_is_right` and `first_colour_is_large` of each text.
    """
    texts: list[str] = []
    owners: list[int] = []
    right: list[bool | None] = []
    large: list[bool | None] = []
    for part in batches(len(photos.paths)):
        views = look(clip, photos.paths[part])
        found = [regions_of(grid, clip, threshold) for grid in maps[part]]
        masks = [np.array([r.patches for r in regions], dtype=bool) for regions in found]
        pixels = pixels_of(clip, views)
        flat = [(i, region) for i, regions in enumerate(found) for region in regions]
        colours = [region_colours(pixels[i], region.mask) for i, region in flat]
        said = _captions(captioner, pooled(clip.model, views, masks), colours)
        for text, seen, (i, _) in zip(said, colours, flat, strict=True):
            texts.append(text)
            owners.append(part.start + i)
            right.append(colour_is_right(text, seen.region))
            large.append(first_colour_is_large(text, seen.region))
    return texts, owners, right, large


def regions_of(grid: NDArray[np.float32], clip: Clip, threshold: str) -> list[Region]:
    """Find the regions of a map as a run does."""
    most, least = IndexConfig.regions, IndexConfig.min_area
    return find_regions(grid, clip.size, threshold, most, least)


def caption_things(
    clip: Clip, captioner: Captioner, photos: Photos, maps: NDArray[np.float32], threshold: str
) -> Figures:
    """Caption regions of photos and hold the captions against the pixels."""
    texts, owners, right, large = caption_regions(clip, captioner, photos, maps, threshold)
    names = [photos.names[photos.classes[i]] for i in owners]
    spread = range(0, len(texts), max(1, len(texts) // SAMPLES))
    return {
        "photos": len(photos.paths),
        **caption_figures(texts, names, right, large),
        "samples": [f"{names[i]}: {clean(texts[i])}" for i in spread][:SAMPLES],
    }


def humans_beside_things(
    clip: Clip, captioner: Captioner, photos: Photos, maps: NDArray[np.float32], threshold: str
) -> Figures:
    """How often a region's caption names a human, of the judged photos that show one or none."""
    judged = read_judged()
    keys = [f"{path.parent.name}/{path.name}" for path in photos.paths]
    chosen = [i for i, key in enumerate(keys) if key in judged]
    some = photos.pick(chosen)
    texts, owners, *_ = caption_regions(clip, captioner, some, maps[chosen], threshold)
    told = {owner for text, owner in zip(texts, owners, strict=True) if names_human(text)}
    shows = [judged[keys[i]] for i in chosen]
    return {
        "photos": len(chosen),
        "human told of those that show one": share([i in told for i, s in enumerate(shows) if s]),
        "human told of those that show none": share(
            [i in told for i, s in enumerate(shows) if not s]
        ),
    }


def features_of(clip: Clip, paths: Sequence[Path]) -> tuple[Tensor, list[RegionColours]]:
    """Features of whole photos, (N, D), not normalised, and their colours."""
    features, colours = [], list[RegionColours]()
    everywhere = np.ones(clip.size, bool)
    for part in batches(len(paths)):
        views = look(clip, paths[part])
        features.append(encode_images(clip.model, views))
        colours += [region_colours(seen, everywhere) for seen in pixels_of(clip, views)]
    return torch.cat(features).float(), colours


def _captions(
    captioner: Captioner, features: Tensor, colours: Sequence[RegionColours]
) -> list[str]:
    found: list[Caption] = []
    for start in range(0, len(features), 256):
        rows = slice(start, start + 256)
        found += captioner.caption(RegionBatch(features[rows], colours=colours[rows]))
    return [tidy(caption).text for caption in found]


def pixels_of(clip: Clip, views: Tensor) -> NDArray[np.uint8]:
    """Turn what the network sees back into pictures: (B, 3, H, W) to (B, H, W, 3)."""
    mean, std = torch.tensor(clip.mean).view(3, 1, 1), torch.tensor(clip.std).view(3, 1, 1)
    colours = (views * std + mean).clamp(0, 1) * 255
    return colours.round().byte().permute(0, 2, 3, 1).numpy()
