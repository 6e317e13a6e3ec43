"""Photos in hand, explained without a store: predictions, maps, regions and captions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image as Picture

from db.records import Role
from mapcap import explanation
from mapcap.colours import region_colours
from mapcap.config import IndexConfig
from mapcap.datasets import read_image, upright_rgb
from mapcap.errors import UserError, closest
from mapcap.explanation import Method
from mapcap.heads import LinearHead, text_head
from mapcap.networks.captioners import Captioner, RegionBatch, load_captioner, show_region
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.devices import pick_device
from mapcap.overlay import STRENGTH, overlay, square
from mapcap.presets import with_preset
from mapcap.texts.captions import caption_cosines, tidy
from mapcap.zero_shot import class_weights

Photo: TypeAlias = str | Path | Picture


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
        """The class that the photo is predicted as."""
        return next(iter(self.probabilities))

    def picture(self, role: Role | None = None) -> Picture:
        """Draw what the model saw, and over it where it looks for `role`; None: the photo alone."""
        if role is None:
            return square(self.photo, self.resize_mode)
        if role not in self.maps:
            raise UserError(f"there is no map {role}; there is: {', '.join(self.maps)}")
        grid = self.maps[role] / (self.maps[role].max() or 1.0)
        return overlay(self.photo, grid.astype(np.float16), STRENGTH, self.resize_mode)


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
    true_classes: list[str | None] = [None] * len(pictures) if true is None else list(true)
    if len(true_classes) != len(pictures):
        raise UserError(
            f"true names {len(true_classes)} classes, and there are {len(pictures)} photos"
        )
    for name in true_classes:
        if name is not None and name not in classes:
            raise UserError(f"true: {name} is not among the classes. {closest(name, classes)}")
    config = with_preset(IndexConfig(photos=""), preset)
    clip, captioner = _networks(preset, device)
    texts = class_weights(clip.model, clip.tokenizer, list(classes), config.templates)
    head = text_head(clip.model, texts)
    explanations: list[Explanation] = []
    for start in range(0, len(pictures), batch_size):
        part = slice(start, start + batch_size)
        explanations += _explain(
            clip, captioner, config, pictures[part], list(classes), true_classes[part], head
        )
    return explanations


@lru_cache(maxsize=1)
def _networks(preset: str, device: str) -> tuple[Clip, Captioner]:
    config, place = with_preset(IndexConfig(photos=""), preset), pick_device(device)
    clip = load_clip(config.model, config.pretrained, device=place)
    return clip, load_captioner(config, clip, place)


def _read(photo: Photo) -> Picture:
    """Return a photo upright and in RGB."""
    if isinstance(photo, Picture):
        return upright_rgb(photo)
    loaded = read_image(Path(photo))
    if loaded.image is None:
        raise UserError(f"{photo}: {loaded.error}")
    return loaded.image


def _explain(
    clip: Clip,
    captioner: Captioner,
    config: IndexConfig,
    pictures: Sequence[Picture],
    classes: Sequence[str],
    true_classes: Sequence[str | None],
    head: LinearHead,
) -> list[Explanation]:
    """Explain the pictures of a batch."""
    views = torch.stack([clip.preprocess(picture) for picture in pictures])
    true = torch.tensor([-1 if name is None else classes.index(name) for name in true_classes])
    batch = explanation.explain(clip.model, views, head, true, Method.of(config))
    probabilities = torch.from_numpy(batch.logits).softmax(1)
    # The map of a photo whose class is not known is that of the predicted one.
    roles: list[Role] = [
        "predicted" if true_classes[image] is None else role
        for image, role in zip(batch.maps.images, batch.maps.roles, strict=True)
    ]
    explained = [
        Explanation(
            photo=picture,
            probabilities={
                classes[k]: float(row[k])
                for k in row.argsort(descending=True, stable=True).tolist()
            },
            true=name,
            maps={},
            regions=[],
            resize_mode=clip.resize_mode,
        )
        for picture, name, row in zip(pictures, true_classes, probabilities, strict=True)
    ]
    for image, role, grid in zip(batch.maps.images, roles, batch.grids, strict=True):
        explained[image].maps[role] = grid
    for image, region in _regions(clip, captioner, config, pictures, batch, roles):
        explained[image].regions.append(region)
    return explained


def _regions(
    clip: Clip,
    captioner: Captioner,
    config: IndexConfig,
    pictures: Sequence[Picture],
    batch: explanation.Explanation,
    roles: Sequence[Role],
) -> Iterator[tuple[int, ExplainedRegion]]:
    """Yield the regions of a batch in words, each with the place of its picture."""
    flat = [
        (int(image), role, region)
        for image, role, regions in zip(batch.maps.images, roles, batch.regions, strict=True)
        for region in regions
    ]
    if not flat:
        return
    boxes = [clip.view(*pictures[image].size).to_original(region.box) for image, _, region in flat]
    crops = []
    if captioner.needs == "crops":
        places = zip(flat, boxes, strict=True)
        view = config.region_view
        crops = [show_region(pictures[image], box, view) for (image, _, _), box in places]
    colours = []
    if captioner.needs == "coloured features":
        seen = [clip.view(*picture.size).cut(picture, clip.size) for picture in pictures]
        colours = [region_colours(seen[image], region.mask) for image, _, region in flat]
    features = torch.from_numpy(batch.region_features).to(clip.device, clip.dtype)
    asked = RegionBatch(features, crops, colours)
    captions = [tidy(caption) for caption in captioner.caption(asked)]
    cosines = caption_cosines(clip, [caption.text for caption in captions], features).tolist()
    for (image, role, region), box, caption, cosine in zip(
        flat, boxes, captions, cosines, strict=True
    ):
        yield (
            image,
            ExplainedRegion(role, box, region.area, region.mass, caption.text, cosine),
        )
