"""Stage `images`: every photo of the dataset, read once and explained in one pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from db import queries, writes
from db.engine import writing
from db.rows import NewImage, NewRegion, NewRegions
from mapcap.datasets import Item, Url
from mapcap.explanation import Explanation
from mapcap.indexing.batch_size import BatchSize
from mapcap.indexing.changes import compare
from mapcap.indexing.stages.base import Job, PortableStage
from mapcap.indexing.stages.class_texts import class_texts
from mapcap.indexing.stages.explaining import Explaining, Passed, Photo, Photos
from mapcap.indexing.stages.image_rows import (
    given_rows,
    map_rows,
    prediction_rows,
    witness_rows,
)
from mapcap.indexing.stages.pictures import unreachable
from mapcap.regions import Region

_TAKEN_AT_ONCE: Final = 1000
"""Photos of another run that are copied in one transaction."""
_ASKED: Final = 4
"""URLs that are asked for, at most, before a server counts as gone."""


def _opened(row: NewImage) -> bool:
    """Tell whether there was a file at all: a disk that went away is not a broken photo."""
    return row.content_hash is not None or row.file_size is not None


class Images(PortableStage[Photos, Passed]):
    """Thumbnails, predictions, embeddings, maps and regions; a broken file with its error.

    A photo is stored whole, in one transaction with its batch, or it is pending.
    """

    name = "images"
    unit = "images"
    ahead = 2
    computation_class = Explaining
    computation: Explaining

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._taken: set[str] = set()

    def first_size(self) -> BatchSize:  # noqa: D102
        on_cuda = self.job.networks.clip.device.type == "cuda"
        return BatchSize.first(self.job.batch_size, grows=on_cuda)

    def total(self) -> int:  # noqa: D102
        return len(self.job.dataset.items)

    def take_over(self, run_id: int) -> int:
        """Copy the photos that the other run has whole, of the same class and file, as they are."""
        job, config = self.job, self.job.config
        wanted = [item for item in self._wanted() if item.relative not in job.stored]
        if not wanted:
            return 0
        there = queries.stored_images(job.engine, run_id, config.representation)
        class_ids = [each.id for each in queries.classes(job.engine, run_id)]
        wanted = [item for item in wanted if item.relative in there]
        found = compare(wanted, there, class_ids)
        left = {item.relative for item in found.pending}
        paths = [
            i.relative for i in wanted if i.relative not in left and not there[i.relative].error
        ]
        for start in range(0, len(paths), _TAKEN_AT_ONCE):
            part = paths[start : start + _TAKEN_AT_ONCE]
            with writing(job.engine) as transaction:
                ids = writes.copy_images(transaction, job.run_id, run_id, part)
                numbers = {there[path].id: number for path, number in ids.items()}
                boxes = {numbers[old]: box for old, box in found.boxes.items() if old in numbers}
                writes.set_boxes(transaction, boxes)
        self._taken.update(paths)
        return len(paths)

    def _wanted(self) -> list[Item]:
        """Return the items that are not stored whole, nor taken over."""
        return [item for item in self.job.changes.pending if item.relative not in self._taken]

    def pending(self) -> Sequence[Photo]:  # noqa: D102
        return [self._photo(item) for item in self._wanted()]

    def _photo(self, item: Item) -> Photo:
        class_id = self.job.class_ids[item.class_index]
        before = self.job.stored.get(item.relative)
        explained = None
        if before is not None and before.whole and before.error is None:
            explained = before.content_hash if before.class_id == class_id else None
        return Photo(item, class_id, explained)

    def store(self, result: Passed) -> None:  # noqa: D102
        job, explanation, rows = self.job, result.explanation, result.rows
        if not any(map(_opened, rows)) and not self._is_there():
            raise unreachable(job.dataset.source, rows[0].path, rows[0].error)
        with writing(job.engine) as transaction:
            ids = writes.add_images(transaction, job.run_id, rows)
            if explanation is None:
                return
            shown = [ids[place] for place in result.readable]
            if result.given:
                predictions = given_rows(shown, result.given, explanation, job.class_ids)
            else:
                predictions = prediction_rows(shown, explanation, job.class_ids)
            if result.witness is not None:
                writes.add_witness(transaction, witness_rows(shown, result.witness, job.class_ids))
            writes.add_predictions(transaction, predictions)
            maps = writes.add_relevance(transaction, map_rows(shown, explanation, job.class_ids))
            regions = self._regions(maps, [rows[place] for place in result.readable], explanation)
            region_ids = writes.add_regions(transaction, regions)
            representation = job.config.representation
            writes.add_embeddings(
                transaction, representation, region_ids, explanation.region_features
            )

    def _is_there(self) -> bool:
        """Tell whether any photo of the dataset can still be reached: the batch may be deleted."""
        places = [item.path for item in self.job.dataset.items]
        if any(isinstance(place, Path) and place.is_file() for place in places):
            return True
        urls = [place for place in places if isinstance(place, Url)]
        # A server that is gone may take long to say nothing: a few are asked, spread over all.
        return any(url.answers() for url in urls[:: -(-len(urls) // _ASKED) or 1])

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
            writes.set_class_texts(job.engine, class_texts(job, self.computation.texts))
