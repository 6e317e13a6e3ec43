"""Stage `images`: every photo of the dataset, read once and explained in one pass."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor

from db import queries, writes
from db.engine import writing
from db.rows import NewImage, NewRegion, NewRegions
from mapcap.datasets import Item, LoadedImage, Prediction, read_image
from mapcap.explanation import Explanation
from mapcap.indexing.batch_size import BatchSize, in_halves
from mapcap.indexing.stages.base import Job, Stage
from mapcap.indexing.stages.class_texts import class_texts
from mapcap.indexing.stages.explaining import Explaining
from mapcap.indexing.stages.image_rows import (
    given_rows,
    map_rows,
    prediction_rows,
    witness_rows,
)
from mapcap.indexing.stages.pictures import at_once, unreachable
from mapcap.regions import Region
from mapcap.zero_shot import Predictions

_FACTS: Final = [field.name for field in fields(LoadedImage) if field.name != "image"]


@dataclass(frozen=True)
class Photos:
    """The files of a batch as the store takes them in, and what the network sees of them."""

    rows: list[NewImage]
    classes: list[int]
    """The index of each photo's class."""
    given: list[Prediction | None]
    """What the person's own classifier says of each photo; None where the CLIP predicts."""
    seen: list[int]
    """The V photos that the network is to see: not those that cannot be read."""
    views: Tensor | None
    """(V, 3, H, W), None where there are none"""
    theirs: Tensor | None = None
    """The same as the person's own network takes them, where there is one."""

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self.rows)

    def part(self, start: int, end: int) -> "Photos":
        """Return the photos from one place to another."""
        first, last = bisect_left(self.seen, start), bisect_left(self.seen, end)
        return Photos(
            self.rows[start:end],
            self.classes[start:end],
            self.given[start:end],
            [place - start for place in self.seen[first:last]],
            None if self.views is None or first == last else self.views[first:last],
            None if self.theirs is None or first == last else self.theirs[first:last],
        )


@dataclass(frozen=True)
class Passed:
    """The photos of a batch with what is to be stored of them."""

    rows: list[NewImage]
    seen: list[int]
    given: list[Prediction]
    """Of those seen; empty where a head on the CLIP's features predicts."""
    found: Explanation | None
    """Of those seen."""
    witness: Predictions | None
    """What the CLIP itself says of those seen; None where it is the classifier."""


def _opened(row: NewImage) -> bool:
    """Tell whether there was a file at all: a disk that went away is not a broken photo."""
    return row.content_hash is not None or row.file_size is not None


class Images(Stage[Photos, Passed]):
    """Thumbnails, predictions, embeddings, maps and regions; a broken file with its error.

    A photo is stored whole, in one transaction with its batch, or it is pending.
    """

    name = "images"
    unit = "images"
    ahead = 2

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._explaining = Explaining(job)

    def first_size(self) -> BatchSize:  # noqa: D102
        on_cuda = self.job.networks.clip.device.type == "cuda"
        return BatchSize.first(self.job.batch_size, grows=on_cuda)

    def total(self) -> int:  # noqa: D102
        return len(self.job.dataset.items)

    def pending(self) -> Sequence[Item]:  # noqa: D102
        return self.job.changes.pending

    def read(self, items: Sequence[Item]) -> Photos:  # noqa: D102
        rows, tensors, others = zip(*at_once(self._photo, items), strict=True)
        if not any(map(_opened, rows)) and not self._is_there():
            raise unreachable(self.job, rows[0].path, rows[0].error)
        readable = [place for place, view in enumerate(tensors) if view is not None]
        views, theirs = self._stacked(tensors), self._stacked(others)
        classes, given = zip(*((item.class_index, item.prediction) for item in items), strict=True)
        return Photos(list(rows), list(classes), list(given), readable, views, theirs)

    def _stacked(self, tensors: Sequence[Tensor | None]) -> Tensor | None:
        """Return what there is of views (V, 3, H, W) as one tensor; None where there is nothing."""
        there = [tensor for tensor in tensors if tensor is not None]
        if not there:
            return None
        stacked = torch.stack(there)
        # A pinned tensor is one that the device can fetch by itself.
        return stacked.pin_memory() if self.job.networks.clip.device.type == "cuda" else stacked

    def _photo(self, item: Item) -> tuple[NewImage, Tensor | None, Tensor | None]:
        """Read a photo once: for the store, as the CLIP sees it and as the person's network."""
        loaded = read_image(item.path)
        # What was read of the file is stored under the names it has there, but for its pixels.
        facts = {name: getattr(loaded, name) for name in _FACTS}
        class_id = self.job.class_ids[item.class_index]
        row = NewImage(path=item.relative, class_id=class_id, box=item.box, **facts)
        if loaded.image is None or self._is_stored(row):
            return row, None, None
        networks = self.job.networks
        other = networks.classifier
        theirs = None if other is None else other.transform(loaded.image)
        return row, networks.clip.preprocess(loaded.image), theirs

    def _is_stored(self, row: NewImage) -> bool:
        """Tell whether a file that was written since still has the content that is stored."""
        before = self.job.stored.get(row.path)
        return (
            before is not None
            and before.whole
            and before.error is None
            and (before.class_id, before.content_hash) == (row.class_id, row.content_hash)
        )

    def _is_there(self) -> bool:
        """Tell whether any photo of the dataset can still be reached: the batch may be deleted."""
        return any(item.path.is_file() for item in self.job.dataset.items)

    def compute(self, data: Photos, tick: Callable[[float], None]) -> Passed:  # noqa: D102
        given = [prediction for place in data.seen if (prediction := data.given[place]) is not None]
        if data.views is None:
            return Passed(data.rows, data.seen, given, None, None)
        rows = [data.rows[place] for place in data.seen]
        true = torch.tensor([data.classes[place] for place in data.seen])
        predicted = torch.tensor([each.top[0][0] for each in given]) if given else None
        explanation, witness = self._explaining.explain(
            rows, data.views, data.theirs, true, predicted
        )
        return Passed(data.rows, data.seen, given, explanation, witness)

    def halves(self, data: Photos) -> Sequence[tuple[int, Photos]]:  # noqa: D102
        return in_halves(data)

    def store(self, result: Passed) -> None:  # noqa: D102
        job, explanation = self.job, result.found
        with writing(job.engine) as transaction:
            ids = writes.add_images(transaction, job.run_id, result.rows)
            if explanation is None:
                return
            shown = [ids[place] for place in result.seen]
            if result.given:
                predictions = given_rows(shown, result.given, explanation, job.class_ids)
            else:
                predictions = prediction_rows(shown, explanation, job.class_ids)
            if result.witness is not None:
                writes.add_witness(transaction, witness_rows(shown, result.witness, job.class_ids))
            writes.add_predictions(transaction, predictions)
            maps = writes.add_relevance(transaction, map_rows(shown, explanation, job.class_ids))
            regions = self._regions(
                maps, [result.rows[place] for place in result.seen], explanation
            )
            region_ids = writes.add_regions(transaction, regions)
            representation = job.config.representation
            writes.add_embeddings(
                transaction, representation, region_ids, explanation.region_features
            )

    def _regions(
        self, maps: Sequence[int], rows: Sequence[NewImage], explanation: Explanation
    ) -> list[NewRegions]:
        """Return the regions of each map with their boxes in pixels of the original."""
        owners = explanation.maps.images.tolist()
        return [
            NewRegions(map_id, [self._region(region, rows[owner]) for region in regions])
            for map_id, owner, regions in zip(maps, owners, explanation.regions, strict=True)
        ]

    def _region(self, region: Region, row: NewImage) -> NewRegion:
        assert row.width and row.height, "a readable image has a size"
        view = self.job.networks.clip.view(row.width, row.height)
        return NewRegion(
            box=view.to_original(region.box),
            area_share=region.area,
            mass_share=region.mass,
            patch_mask=region.patches,
            mask=region.mask,
        )

    def finish(self) -> None:
        """Store the figures per class, the regions for the search, and how names' tokens matter."""
        job = self.job
        writes.aggregate_accuracy(job.engine, job.run_id)
        writes.pack_embeddings(job.engine, job.run_id, job.config.representation)
        if len(queries.class_embeddings(job.engine, job.run_id).ids) < len(job.class_ids):
            writes.set_class_texts(job.engine, class_texts(job, self._explaining.texts))
