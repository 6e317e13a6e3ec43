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
from mapcap.explanation import Explanation, Method, explain
from mapcap.heads import LinearHead
from mapcap.indexing.batch_size import START, BatchSize
from mapcap.indexing.run_head import head_of
from mapcap.indexing.stages.base import Job, Stage
from mapcap.indexing.stages.class_texts import class_texts
from mapcap.indexing.stages.image_rows import (
    given_rows,
    map_rows,
    prediction_rows,
    witness_rows,
)
from mapcap.indexing.stages.pictures import at_once, unreachable
from mapcap.regions import Region
from mapcap.zero_shot import Predictions, class_logits, class_weights, predict

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

    def part(self, start: int, stop: int) -> "Photos":
        """Return the photos from `start` up to `stop`."""
        first, last = bisect_left(self.seen, start), bisect_left(self.seen, stop)
        return Photos(
            self.rows[start:stop],
            self.classes[start:stop],
            self.given[start:stop],
            [place - start for place in self.seen[first:last]],
            None if self.views is None or first == last else self.views[first:last],
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
        self._method = Method.of(job.config)
        self._texts: Tensor | None = None
        self._head: LinearHead | None = None

    def first_size(self) -> BatchSize:  # noqa: D102
        chosen = self.job.batch_size
        on_cuda = self.job.networks.clip.device.type == "cuda"
        return BatchSize(chosen or START, fixed=chosen is not None, grows=on_cuda)

    def total(self) -> int:  # noqa: D102
        return len(self.job.dataset.items)

    def pending(self) -> Sequence[Item]:  # noqa: D102
        return self.job.changes.pending

    def read(self, items: Sequence[Item]) -> Photos:  # noqa: D102
        rows, tensors = zip(*at_once(self._photo, items), strict=True)
        if not any(map(_opened, rows)) and not self._is_there():
            raise unreachable(self.job, rows[0].path, rows[0].error)
        readable = [place for place, view in enumerate(tensors) if view is not None]
        views = torch.stack([tensors[place] for place in readable]) if readable else None
        if views is not None and self.job.networks.clip.device.type == "cuda":
            views = views.pin_memory()  # which the device can fetch by itself
        classes, given = zip(*((item.class_index, item.prediction) for item in items), strict=True)
        return Photos(list(rows), list(classes), list(given), readable, views)

    def _photo(self, item: Item) -> tuple[NewImage, Tensor | None]:
        """Read a photo once: for the store, and as the network sees it."""
        loaded = read_image(item.path)
        # What was read of the file is stored under the names it has there, but for its pixels.
        facts = {name: getattr(loaded, name) for name in _FACTS}
        class_id = self.job.class_ids[item.class_index]
        row = NewImage(path=item.relative, class_id=class_id, box=item.box, **facts)
        if loaded.image is None or self._is_stored(row):
            return row, None
        return row, self.job.networks.clip.preprocess(loaded.image)

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
        explanation, witness = None, None
        given = [prediction for place in data.seen if (prediction := data.given[place]) is not None]
        if data.views is not None:
            clip, half = self.job.networks.clip, self.job.networks.half
            views = data.views.to(clip.device, non_blocking=True)
            true = torch.tensor([data.classes[place] for place in data.seen])
            predicted = (
                torch.tensor([prediction.top[0][0] for prediction in given]) if given else None
            )
            explanation = explain(
                clip.model, views, self._classifier(), true, self._method, half, predicted
            )
            witness = self._witness(explanation, true, told=predicted is not None)
        return Passed(data.rows, data.seen, given, explanation, witness)

    def _classifier(self) -> LinearHead:
        """Return the head of the run, read or computed when first asked for."""
        if self._head is None:
            job = self.job
            self._head = head_of(
                job.config, job.networks.clip, job.dataset.classes, self._class_texts()
            )
        return self._head

    def _witness(self, explanation: Explanation, true: Tensor, *, told: bool) -> Predictions | None:
        """Return what the CLIP says by the classes' texts, where something else predicts."""
        if told:
            return explanation.predictions
        if self.job.config.class_weights is None:
            return None
        clip, texts = self.job.networks.clip, self._class_texts()
        features = torch.from_numpy(explanation.features).to(clip.device)
        return predict(class_logits(clip.model, features, texts), true)

    def halves(self, data: Photos) -> Sequence[tuple[int, Photos]]:  # noqa: D102
        count, middle = len(data.rows), len(data.rows) // 2
        if not middle:
            return ()
        return [(middle, data.part(0, middle)), (count - middle, data.part(middle, count))]

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

    def _class_texts(self) -> Tensor:
        """Return the classes' text embeddings (K, D), computed when first asked for."""
        if self._texts is None:
            names = [class_label.name for class_label in self.job.dataset.classes]
            clip = self.job.networks.clip
            templates = self.job.config.templates
            self._texts = class_weights(clip.model, clip.tokenizer, names, templates)
        return self._texts

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
            writes.set_class_texts(job.engine, class_texts(job, self._class_texts()))
