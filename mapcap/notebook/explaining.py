"""Photos in hand, explained without a store: predictions, maps, regions and captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image as Picture
from torch import Tensor
from torch.nn import functional as F

from db.records import Role
from mapcap.captions import caption_cosines, tidy
from mapcap.config import IndexConfig, with_preset
from mapcap.datasets import read_image, upright_rgb
from mapcap.errors import UserError
from mapcap.names import closest
from mapcap.networks.captioners import Captioner, RegionBatch, load_captioner
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.devices import pick_device
from mapcap.networks.language_models import load_language_model
from mapcap.overlay import overlay, square
from mapcap.regions import Region, find_regions
from mapcap.relevance import relevance_maps
from mapcap.representations import embed_regions, encode_images
from mapcap.zero_shot import class_logits, class_weights

Photo: TypeAlias = str | Path | Picture
_STRENGTH: Final = 0.6


@dataclass(frozen=True, eq=False)
class ExplainedRegion:
    """A region of a map in words; `box` is x0, y0, x1, y1 in pixels of the photo.

    `area` is its share of the view, `mass` its share of the map's relevance, `cosine` that of the
    caption with the region.
    """

    role: Role
    box: tuple[float, float, float, float]
    area: float
    mass: float
    caption: str
    cosine: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the model says of a photo, and where it looks."""

    photo: Picture
    probabilities: dict[str, float]
    """Of every class, the best first."""
    true: str | None
    maps: dict[Role, NDArray[np.float32]]
    """Relevance per patch (rows, columns), raw, by what the map is for."""
    regions: list[ExplainedRegion]
    resize_mode: str

    @property
    def predicted(self) -> str:
        """The class that the photo is taken for."""
        return next(iter(self.probabilities))

    def picture(self, role: Role | None = None) -> Picture:
        """Draw what the model saw, and over it where it looks for `role`; None: the photo alone."""
        if role is None:
            return square(self.photo, self.resize_mode)
        if role not in self.maps:
            raise UserError(f"there is no map {role}; there is: {', '.join(self.maps)}")
        grid = self.maps[role] / (self.maps[role].max() or 1.0)
        return overlay(self.photo, grid.astype(np.float16), _STRENGTH, self.resize_mode)


def explain(
    photos: Sequence[Photo],
    classes: Sequence[str],
    *,
    true: Sequence[str | None] | None = None,
    preset: str = IndexConfig.preset,
    device: str = "auto",
    batch_size: int = 16,
) -> list[Explanation]:
    """Explain photos as `mapcap index` would: what CLIP takes each for, where it looks, in words.

    `photos` are files or Pillow images; `classes` the names to choose from; `true` names each
    photo's own class where it is known. A photo whose class is not known has a map for the
    predicted one; a right one for the true one; a wrong one for both and for their contrast. The
    networks of a preset are loaded once.

    Raises:
        UserError: for a photo that cannot be read, a class that is not among `classes`, or networks
            that cannot be loaded.
    """
    pictures = [_read(photo) for photo in photos]
    own: list[str | None] = [None] * len(pictures) if true is None else list(true)
    if len(own) != len(pictures):
        raise UserError(f"true names {len(own)} classes, and there are {len(pictures)} photos")
    for name in own:
        if name is not None and name not in classes:
            raise UserError(f"true: {name} is not among the classes. {closest(name, classes)}")
    config = with_preset(IndexConfig(photos=""), preset)
    clip, captioner = _networks(preset, device)
    weights = class_weights(clip.model, clip.tokenizer, list(classes), config.templates)
    found: list[Explanation] = []
    for start in range(0, len(pictures), batch_size):
        part = slice(start, start + batch_size)
        batch = _Batch(clip, captioner, config, pictures[part])
        found += batch.explain(list(classes), own[part], weights)
    return found


@lru_cache(maxsize=1)
def _networks(preset: str, device: str) -> tuple[Clip, Captioner]:
    config, place = with_preset(IndexConfig(photos=""), preset), pick_device(device)
    language_model = load_language_model(config.lm, device=place)
    return (
        load_clip(config.model, config.pretrained, device=place),
        load_captioner(config.captioner, language_model=language_model, device=place),
    )


def _read(photo: Photo) -> Picture:
    """Return a photo upright and in RGB."""
    if isinstance(photo, Picture):
        return upright_rgb(photo)
    loaded = read_image(Path(photo))
    if loaded.image is None:
        raise UserError(f"{photo}: {loaded.error}")
    return loaded.image


@dataclass(frozen=True, eq=False)
class _Batch:
    clip: Clip
    captioner: Captioner
    config: IndexConfig
    pictures: Sequence[Picture]

    def explain(
        self, classes: list[str], own: Sequence[str | None], weights: Tensor
    ) -> list[Explanation]:
        model = self.clip.model
        views = torch.stack([self.clip.preprocess(picture) for picture in self.pictures])
        logits = class_logits(model, encode_images(model, views), weights).float().cpu()  # (B, K)
        maps = self._maps(views, weights, logits.argmax(1), classes, own)
        regions = self._regions(views, maps)
        probabilities = logits.softmax(1)
        return [
            Explanation(
                photo=self.pictures[i],
                probabilities={
                    classes[k]: float(probabilities[i, k])
                    for k in probabilities[i].argsort(descending=True, stable=True).tolist()
                },
                true=own[i],
                maps=maps[i],
                regions=regions[i],
                resize_mode=self.clip.resize_mode,
            )
            for i in range(len(self.pictures))
        ]

    def _maps(
        self,
        views: Tensor,
        weights: Tensor,
        predicted: Tensor,
        classes: list[str],
        own: Sequence[str | None],
    ) -> list[dict[Role, NDArray[np.float32]]]:
        """Return each photo's maps by role."""
        true = torch.tensor(
            [
                int(guess) if name is None else classes.index(name)
                for name, guess in zip(own, predicted, strict=True)
            ]
        )
        count = len(classes)
        contrast = (F.one_hot(predicted, count) - F.one_hot(true, count)).float()  # (B, K)
        wrong = (true != predicted).tolist()
        targets: dict[Role, Tensor] = {"predicted": predicted}
        if any(wrong):
            targets |= {"true": true, "contrast": contrast}
        drawn = relevance_maps(
            self.clip.model,
            views,
            weights,
            list(targets.values()),
            self.config.relevance_start_layer,
        )
        grids = dict(zip(targets, (found.float().cpu().numpy() for found in drawn), strict=True))
        found: list[dict[Role, NDArray[np.float32]]] = []
        for i, name in enumerate(own):
            if wrong[i]:
                roles: tuple[Role, ...] = ("true", "predicted", "contrast")
                found.append({role: grids[role][i] for role in roles})
            else:
                found.append({"predicted" if name is None else "true": grids["predicted"][i]})
        return found

    def _regions(
        self, views: Tensor, maps: Sequence[dict[Role, NDArray[np.float32]]]
    ) -> list[list[ExplainedRegion]]:
        """Return each photo's regions in words."""
        places = [(i, role) for i, of_photo in enumerate(maps) for role in of_photo]
        grids = np.stack([maps[i][role] for i, role in places])
        found = [self._find(grid) for grid in grids]
        owners = [i for i, _ in places]
        features = embed_regions(
            self.clip.model,
            views[owners],
            grids,
            found,
            self.config.representation,
            self.config.threshold,
        )
        flat = [
            (i, role, region, self._box(i, region))
            for (i, role), regions in zip(places, found, strict=True)
            for region in regions
        ]
        explained: list[list[ExplainedRegion]] = [[] for _ in maps]
        if not flat:
            return explained
        crops = []
        if self.captioner.needs == "crops":
            crops = [self.pictures[i].crop(_whole(box)) for i, _, _, box in flat]
        captions = [tidy(c) for c in self.captioner.caption(RegionBatch(features, crops))]
        cosines = caption_cosines(self.clip, [c.text for c in captions], features).tolist()
        for (i, role, region, box), caption, cosine in zip(flat, captions, cosines, strict=True):
            explained[i].append(
                ExplainedRegion(role, box, region.area, region.mass, caption.text, cosine)
            )
        return explained

    def _find(self, grid: NDArray[np.float32]) -> list[Region]:
        config = self.config
        return find_regions(
            grid,
            self.clip.size,
            threshold=config.threshold,
            max_regions=config.regions,
            min_area=config.min_area,
        )

    def _box(self, i: int, region: Region) -> tuple[float, float, float, float]:
        """Return a region's box in pixels of its photo."""
        x0, y0, x1, y1 = region.box
        view = self.clip.view(self.pictures[i].width, self.pictures[i].height)
        return view.to_original((x0, y0, x1, y1))


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top = int(box[0]), int(box[1])
    return left, top, max(left + 1, round(box[2])), max(top + 1, round(box[3]))
