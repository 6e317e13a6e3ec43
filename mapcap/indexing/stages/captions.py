"""Stage `captions`: what each region shows, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from db import queries, writes
from db.records import RegionTask
from db.rows import NewCaption
from mapcap.indexing.batch_size import BatchSize, in_halves
from mapcap.indexing.stages.base import Stage
from mapcap.indexing.stages.pictures import at_once, load
from mapcap.networks.captioners import RegionBatch
from mapcap.networks.geometry import whole_pixels
from mapcap.texts.artefacts import is_artefact
from mapcap.texts.captions import caption_cosines, is_empty, tidy


@dataclass(frozen=True)
class Uncaptioned:
    """Regions that wait for a caption, with what the captioner needs of them."""

    region_ids: list[int]
    features: Tensor
    """(R, D) as the CLIP gives them, not normalised."""
    crops: list[Image.Image]
    """Empty where the captioner needs the features alone."""

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.region_ids)

    def part(self, start: int, end: int) -> Uncaptioned:
        """Return the regions from one place to another."""
        part = slice(start, end)
        return Uncaptioned(self.region_ids[part], self.features[part], self.crops[part])


class Captions(Stage[Uncaptioned, list[NewCaption]]):
    """A caption for every region, and its cosine with the region's embedding."""

    name = "captions"
    unit = "regions"

    def first_size(self) -> BatchSize:  # noqa: D102
        # A large captioner takes fewer than the CLIP.
        return BatchSize.first(self.job.batch_size, most=self.job.networks.captioner.batch_size)

    def total(self) -> int:  # noqa: D102
        return queries.region_count(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        return queries.pending_captions(self.job.engine, self.job.run_id)

    def read(self, items: Sequence[int]) -> Uncaptioned:  # noqa: D102
        job = self.job
        stored = queries.region_features(job.engine, items, job.config.representation)
        ids = stored.ids.tolist()
        features = torch.from_numpy(stored.features())
        if job.networks.captioner.needs == "features":
            return Uncaptioned(ids, features, [])
        tasks = {task.id: task for task in queries.region_tasks(job.engine, ids)}
        crops = at_once(self._crop, [tasks[number] for number in ids])
        readable = [place for place, crop in enumerate(crops) if crop is not None]
        return Uncaptioned(
            [ids[place] for place in readable],
            features[readable],
            [crop for crop in crops if crop is not None],
        )

    def _crop(self, task: RegionTask) -> Image.Image | None:
        """Cut a region's box out of its picture; None if that cannot be read any more."""
        loaded = load(self.job, task.path)
        if loaded.image is None:
            error = loaded.error or "cannot be read"
            writes.mark_unreadable(self.job.engine, [(task.image_id, error)])
            return None
        return loaded.image.crop(whole_pixels(task.box))

    def compute(  # noqa: D102
        self, data: Uncaptioned, tick: Callable[[float], None]
    ) -> list[NewCaption]:
        if not data.region_ids:
            return []
        networks = self.job.networks
        features = data.features.to(networks.clip.device, networks.clip.dtype)
        captions = networks.captioner.caption(RegionBatch(features, data.crops))
        captions = [tidy(caption) for caption in captions]
        cosines = caption_cosines(networks.clip, [c.text for c in captions], data.features)
        return [
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

    def halves(self, data: Uncaptioned) -> Sequence[tuple[int, Uncaptioned]]:  # noqa: D102
        return in_halves(data)

    def store(self, result: list[NewCaption]) -> None:  # noqa: D102
        writes.add_captions(self.job.engine, self.job.run_id, result)

    def finish(self) -> None:
        """Store how often each caption stands in each class."""
        writes.aggregate_captions(self.job.engine, self.job.run_id)
