"""What `best` shows the captioner: pictures and parts of them, and what may be said of each."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from mapcap.config import IndexConfig
from mapcap.networks.clip import Clip
from mapcap.relevance import chefer
from mapcap.representations import encode_images, pooled
from mapcap.zero_shot import class_weights
from scripts.build_mini import people, stamps
from scripts.build_mini.appearance import Appearance, Nouns, describe
from scripts.build_mini.cache import shrunk
from scripts.build_mini.cutouts import paste
from scripts.build_mini.evaluate_words import pixels_of, regions_of
from scripts.build_mini.features import HUMANS, who_is_there
from scripts.build_mini.grounds import parts_beside
from scripts.build_mini.judges import Judge, ground_judge, human_judge, stamp_judge, thing_judge
from scripts.build_mini.looks import analyse_rows
from scripts.build_mini.masks import box_patches
from scripts.build_mini.people import shows_human
from scripts.build_mini.photos import Box, open_photo
from scripts.build_mini.pictures import batches, look
from scripts.build_mini.probe import Probe
from scripts.build_mini.reading import beside_human
from scripts.build_mini.vision import half_precision

RECOGNISED = 10
"""A thing that was cut out is shown if its class is among so many that the CLIP finds nearest."""
DESCRIBED = 3
"""Sentences of what the pixels show that are offered of each thing."""

Render = tuple[stamps.Stamp, int]
"""A stamp, and which of its pictures."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Features (B, D) of pictures or parts of them; who judges what is said of each.

    And what is known to be true of it: the captioner's own tries may all be wrong, and what it
    does not know is what it has to learn.
    """

    features: Tensor
    judges: Sequence[Judge]
    told: Sequence[Sequence[str]]


@dataclass(frozen=True, eq=False)
class Thing:
    """A picture of a thing, its class, and whether somebody saw a human there."""

    picture: Callable[[], Image.Image]
    label: int
    human: bool | None


def photo_of(path: Path, label: int, human: bool | None) -> Thing:
    """Show a photo as it is."""
    return Thing(partial(open_photo, path), label, human)


def pasted(path: Path, box: Box, label: int) -> Thing | None:
    """Show what is in a photo's box on a painted ground; None where it cannot be cut out."""
    view = paste(open_photo(path), box, path.name)
    return view and Thing(lambda: view.picture, label, human=False)


@dataclass(frozen=True, eq=False)
class Things:
    """Shows the regions of things as a run finds them, by the relevance of their own class."""

    clip: Clip
    nouns: Sequence[Nouns]
    """Of each class."""
    weights: Tensor
    """(K, D) of the classes' names."""
    probe: Probe

    def recognised(self, things: Sequence[Thing]) -> list[Thing]:
        """Keep those whose class is among the nearest of all."""
        kept = []
        for rows in batches(len(things)):
            part = things[rows]
            views = self._views(part)
            with half_precision():
                features = encode_images(self.clip.model, views).float()
            nearest = (features @ self.weights.T).topk(RECOGNISED).indices.tolist()
            kept += [
                thing for thing, near in zip(part, nearest, strict=True) if thing.label in near
            ]
        return kept

    def seen(self, things: Sequence[Thing]) -> Iterator[Seen]:
        """Yield batches of the regions."""
        clip = self.clip
        humans = class_weights(clip.model, clip.tokenizer, HUMANS).float()
        for rows in batches(len(things)):
            part = things[rows]
            views = self._views(part)
            targets = torch.tensor([thing.label for thing in part])
            grids = chefer(clip.model, views, self.weights, targets).float().numpy()
            found = [regions_of(grid, clip, IndexConfig.threshold) for grid in grids]
            kept = [i for i, regions in enumerate(found) if regions]
            masks = [np.array([r.patches for r in found[i]], dtype=bool) for i in kept]
            features = pooled(clip.model, views[kept], masks).float()
            pixels = pixels_of(clip, views)
            flat = [(i, region) for i in kept for region in found[i]]
            verdicts = [
                False if part[i].human is False else human
                for (i, _), human in zip(flat, self.probe.verdicts(features), strict=True)
            ]
            looks = looks_of(pixels[[i for i, _ in flat]], np.concatenate(masks))
            sees = torch.tensor([human is True for human in verdicts])
            who = who_is_there(features, sees, humans)
            nouns = [self.nouns[part[i].label] for i, _ in flat]
            yield Seen(
                features,
                [
                    thing_judge(called, pixels[i], region.mask, human)
                    for called, (i, region), human in zip(nouns, flat, verdicts, strict=True)
                ],
                [
                    described(*each, seed=f"{rows.start}/{row}")
                    for row, each in enumerate(zip(looks, nouns, who, strict=True))
                ],
            )

    def _views(self, things: Sequence[Thing]) -> Tensor:
        return torch.stack([self.clip.preprocess(thing.picture()) for thing in things])


def looks_of(pixels: NDArray[np.uint8], patches: NDArray[np.bool_]) -> list[Appearance]:
    """Analyse what parts (N, gh, gw) of pictures (N, h, w, 3) show."""
    return analyse_rows(shrunk([Image.fromarray(each) for each in pixels]), patches)


def described(shown: Appearance, nouns: Nouns, human: str, seed: str) -> list[str]:
    """Say in some ways what the pixels show, and the human beside it, if there is one."""
    rng = random.Random(seed)
    texts = [describe(shown, nouns, rng) for _ in range(DESCRIBED)]
    return [beside_human(text, human, nouns.kind, rng) if human else text for text in texts]


def seen_people(clip: Clip, root: Path, told: Sequence[people.Described]) -> Iterator[Seen]:
    """Show whole photos that people described."""
    for rows in batches(len(told)):
        part = told[rows]
        views = look(clip, [root / people.FOLDER / each.file for each in part])
        judges = [human_judge(shows_human(each)) for each in part]
        features = encode_images(clip.model, views).float()
        yield Seen(features, judges, [each.sentences for each in part])


def seen_stamps(clip: Clip, renders: Sequence[Render]) -> Iterator[Seen]:
    """Show renders of stamps: their boxes, as regions are shown."""
    for drawn, views, made in _rendered(clip, renders):
        boxes = [np.array([box_patches(np.array(view.box), clip.grid)]) for view, _ in made]
        judges = [
            stamp_judge(stamp, view.pixels, mask)
            for (stamp, _), (view, mask) in zip(drawn, made, strict=True)
        ]
        looks = looks_of(np.stack([view.pixels for view, _ in made]), np.concatenate(boxes))
        told = [
            described(shown, stamp.called, "", f"{stamp.path.name}/{number}")
            for shown, (stamp, number) in zip(looks, drawn, strict=True)
        ]
        yield Seen(pooled(clip.model, views, boxes).float(), judges, told)


def seen_grounds(clip: Clip, renders: Sequence[Render]) -> Iterator[Seen]:
    """Show parts of the same renders that lie beside the stamp: what a run finds there, or any.

    What is relevant to the stamp's kind and lies beside it looks a little like it to the CLIP, and
    is what a run shows the captioner of grass.
    """
    rng = np.random.default_rng(3)
    names = sorted({stamp.called.name for stamp, _ in renders})
    weights = class_weights(clip.model, clip.tokenizer, names)
    for drawn, views, made in _rendered(clip, renders):
        boxes = np.array([view.box for view, _ in made])
        kept, parts = parts_beside(boxes, clip.grid, rng)
        targets = torch.tensor([names.index(drawn[i][0].called.name) for i in kept])
        grids = chefer(clip.model, views[kept], weights, targets).float().numpy()
        for part, grid, box in zip(parts, grids, boxes[kept], strict=True):
            thing = box_patches(box, clip.grid)
            regions = regions_of(grid, clip, IndexConfig.threshold)
            beside = (r.patches for r in regions if not (r.patches & thing).any())
            part[:] = next(beside, part)
        behind = [stamps.ground(*drawn[i]) for i in kept]
        yield Seen(
            pooled(clip.model, views[kept], list(parts[:, None])).float(),
            [ground_judge(*each) for each in zip(behind, parts, strict=True)],
            [ground.texts(part) for ground, part in zip(behind, parts, strict=True)],
        )


def _rendered(
    clip: Clip, renders: Sequence[Render]
) -> Iterator[tuple[Sequence[Render], Tensor, list[Any]]]:
    for rows in batches(len(renders)):
        part = renders[rows]
        made = [stamps.render(*each) for each in part]
        yield part, torch.stack([clip.preprocess(view.picture) for view, _ in made]), made
