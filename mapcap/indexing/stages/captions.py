"""Stage `captions`: what each region shows, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Engine
from torch import Tensor

from db import queries, writes
from db.engine import writing
from db.records import RegionTask
from db.rows import NewCaption
from mapcap.colours import RegionColours, region_colours
from mapcap.datasets import Place
from mapcap.indexing.batch_size import BatchSize, in_halves
from mapcap.indexing.stages.base import Fetch, PortableStage
from mapcap.indexing.stages.computation import Computation
from mapcap.indexing.stages.pictures import at_once, load
from mapcap.networks.captioners import RegionBatch, show_region
from mapcap.networks.captioners.base import Needs
from mapcap.overlay import decode
from mapcap.texts.artefacts import is_artefact
from mapcap.texts.captions import caption_cosines, is_empty, tidy


@dataclass(frozen=True)
class Crop:
    """Where a region is to be seen."""

    task: RegionTask
    place: Place | None
    """Where its picture lies; None if the dataset has it no more."""


@dataclass(frozen=True)
class Shown:
    """A region, and the thumbnail of its picture, None if that has none."""

    task: RegionTask
    thumbnail: bytes | None


@dataclass(frozen=True)
class Wanted:
    """Regions that wait for a caption, as the store has them."""

    region_ids: list[int]
    features: NDArray[np.float32]
    """(R, D) as the CLIP gives them, not normalised."""
    crops: list[Crop]
    """Of the same regions, for a captioner that looks at crops; empty for one that does not."""
    shown: list[Shown]
    """Of the same regions, for a captioner that asks for their colours; else empty."""


@dataclass(frozen=True)
class Uncaptioned:
    """Regions that wait for a caption, with what the captioner needs of them."""

    region_ids: list[int]
    features: Tensor
    crops: list[Image.Image]
    """Empty where the captioner looks at none."""
    colours: list[RegionColours | None]
    """Empty where the captioner asks for none."""
    unreadable: list[tuple[int, str]]
    """The id of each image that cannot be decoded any more, with the reason."""

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.region_ids)

    def part(self, start: int, end: int) -> Uncaptioned:
        """Return the regions from one place to another; what is unreadable goes with the first."""
        part = slice(start, end)
        return Uncaptioned(
            self.region_ids[part],
            self.features[part],
            self.crops[part],
            self.colours[part],
            [] if start else self.unreadable,
        )


@dataclass(frozen=True)
class Captioned:
    """What is to be stored of a batch."""

    captions: list[NewCaption]
    unreadable: list[tuple[int, str]]


class Captioning(Computation[Wanted, Uncaptioned, Captioned]):
    """Regions to captions, each with its cosine with the region's embedding."""

    def read(self, wanted: Wanted) -> Uncaptioned:  # noqa: D102
        ids, features = wanted.region_ids, torch.tensor(wanted.features)
        if not wanted.crops:
            return Uncaptioned(ids, features, [], at_once(self._colours, wanted.shown), [])
        crops = at_once(self._crop, wanted.crops)
        readable = [at for at, crop in enumerate(crops) if not isinstance(crop, tuple)]
        return Uncaptioned(
            [ids[at] for at in readable],
            features[readable],
            [crop for crop in crops if not isinstance(crop, tuple)],
            [],
            [crop for crop in crops if isinstance(crop, tuple)],
        )

    def _crop(self, crop: Crop) -> Image.Image | tuple[int, str]:
        """Show a region of its picture; or return what is wrong with that."""
        task = crop.task
        loaded = load(self.context.source, task.path, crop.place)
        if loaded.image is None:
            return task.image_id, loaded.error or "cannot be read"
        return show_region(loaded.image, task.box, self.context.config.region_view)

    def _colours(self, shown: Shown) -> RegionColours | None:
        """Count a region's colours in the thumbnail of its picture; None if that is damaged."""
        task, small = shown.task, decode(shown.thumbnail)
        if small is None or not task.mask.any():
            return None
        view = self.context.networks.clip.view(task.width, task.height)
        return region_colours(view.cut(small, task.mask.shape), task.mask)

    def compute(  # noqa: D102
        self, data: Uncaptioned, tick: Callable[[float], None]
    ) -> Captioned:
        if not data.region_ids:
            return Captioned([], data.unreadable)
        networks = self.context.networks
        features = data.features.to(networks.clip.device, networks.clip.dtype)
        captions = networks.captioner.caption(RegionBatch(features, data.crops, data.colours))
        captions = [tidy(caption) for caption in captions]
        cosines = caption_cosines(networks.clip, [c.text for c in captions], data.features)
        new = [
            NewCaption(
                region_id=region_id,
                text=caption.text,
                token_count=len(caption.token_ids),
                log_probability=caption.log_probability,
                cosine=cosine,
                is_empty=is_empty(caption.text),
                artefact=is_artefact(caption.text),
            )
            for region_id, caption, cosine in zip(
                data.region_ids, captions, cosines.tolist(), strict=True
            )
        ]
        return Captioned(new, data.unreadable)

    def halves(self, data: Uncaptioned) -> Sequence[tuple[int, Uncaptioned]]:  # noqa: D102
        return in_halves(data)


def _fetch(
    representation: str,
    needs: Needs,
    paths: Mapping[str, Place],
    engine: Engine,
    items: Sequence[int],
) -> Wanted:
    """Fetch regions, and what the captioner needs to see of them."""
    stored = queries.region_features(engine, items, representation)
    ids, features = stored.ids.tolist(), stored.features()
    if needs == "features":
        return Wanted(ids, features, [], [])
    by_id = {task.id: task for task in queries.region_tasks(engine, ids)}
    tasks = [by_id[number] for number in ids]
    if needs == "crops":
        return Wanted(ids, features, [Crop(task, paths.get(task.path)) for task in tasks], [])
    thumbnails = queries.thumbnails(engine, sorted({task.image_id for task in tasks}))
    shown = [Shown(task, thumbnails.get(task.image_id)) for task in tasks]
    return Wanted(ids, features, [], shown)


class Captions(PortableStage[Uncaptioned, Captioned]):
    """A caption for every region, and its cosine with the region's embedding."""

    name = "captions"
    unit = "regions"
    computation_class = Captioning

    def first_size(self) -> BatchSize:  # noqa: D102
        # A large captioner takes fewer than the CLIP.
        return BatchSize.first(self.job.batch_size, most=self.job.networks.captioner.batch_size)

    def take_over(self, run_id: int) -> int:
        """Copy the captions of regions of the same photos, a class a transaction."""
        job = self.job
        if not self.pending():
            return 0
        theirs = [each.id for each in queries.classes(job.engine, run_id)]
        taken = 0
        for class_id, source in zip(job.class_ids, theirs, strict=True):
            with writing(job.engine) as transaction:
                taken += writes.copy_captions(transaction, job.run_id, class_id, source)
        return taken

    def total(self) -> int:  # noqa: D102
        return queries.region_count(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return queries.pending_captions(self.job.engine, self.job.run_id)

    def fetching(self) -> Fetch:  # noqa: D102
        job = self.job
        needs = job.networks.captioner.needs
        # The paths are many, and workers get them too.
        return partial(
            _fetch, job.config.representation, needs, job.paths if needs == "crops" else {}
        )

    def store(self, result: Captioned) -> None:  # noqa: D102
        writes.mark_unreadable(self.job.engine, result.unreadable)
        writes.add_captions(self.job.engine, self.job.run_id, result.captions)

    def finish(self) -> None:
        """Store how often each caption stands in each class."""
        writes.aggregate_captions(self.job.engine, self.job.run_id)
