"""A photo read once and explained in one pass: what stage `images` computes, wherever it runs."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor

from db.rows import NewImage
from mapcap.datasets import Item, LoadedImage, Prediction, read_image
from mapcap.explanation import Explanation
from mapcap.indexing.batch_size import in_halves
from mapcap.indexing.stages.computation import Computation, Context
from mapcap.indexing.stages.explainer import Explainer
from mapcap.indexing.stages.pictures import at_once
from mapcap.zero_shot import Predictions

_FACTS: Final = [field.name for field in fields(LoadedImage) if field.name != "image"]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo to be explained."""

    item: Item
    class_id: int
    explained: str | None
    """The SHA-256 of the content of which the store has all results, if it has any."""


@dataclass(frozen=True)
class Photos:
    """The files of a batch as the store takes them in, and what the network sees of them."""

    rows: list[NewImage]
    classes: list[int]
    """The index of each photo's class."""
    given: list[Prediction | None]
    """What the person's own classifier says of each photo; None where the CLIP predicts."""
    readable: list[int]
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
        first, last = bisect_left(self.readable, start), bisect_left(self.readable, end)
        return Photos(
            self.rows[start:end],
            self.classes[start:end],
            self.given[start:end],
            [place - start for place in self.readable[first:last]],
            None if self.views is None or first == last else self.views[first:last],
            None if self.theirs is None or first == last else self.theirs[first:last],
        )


@dataclass(frozen=True)
class Passed:
    """The photos of a batch with what is to be stored of them."""

    rows: list[NewImage]
    readable: list[int]
    given: list[Prediction]
    """Of those seen; empty where a head on the CLIP's features predicts."""
    explanation: Explanation | None
    """Of those seen."""
    witness: Predictions | None
    """What the CLIP itself says of those seen; None where it is the classifier."""


class Explaining(Computation[Sequence[Photo], Photos, Passed]):
    """Photos, read once, to what the pass tells of them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._explainer = Explainer(context)

    def read(self, wanted: Sequence[Photo]) -> Photos:  # noqa: D102
        rows, tensors, others = zip(*at_once(self._photo, wanted), strict=True)
        readable = [place for place, view in enumerate(tensors) if view is not None]
        views, theirs = self._stacked(tensors), self._stacked(others)
        classes = [photo.item.class_index for photo in wanted]
        given = [photo.item.prediction for photo in wanted]
        return Photos(list(rows), classes, given, readable, views, theirs)

    def _stacked(self, tensors: Sequence[Tensor | None]) -> Tensor | None:
        """Return what there is of views (V, 3, H, W) as one tensor; None where there is nothing."""
        there = [tensor for tensor in tensors if tensor is not None]
        if not there:
            return None
        stacked = torch.stack(there)
        on_cuda = self.context.networks.clip.device.type == "cuda"
        # A pinned tensor is one that the device can fetch by itself.
        return stacked.pin_memory() if on_cuda else stacked

    def _photo(self, photo: Photo) -> tuple[NewImage, Tensor | None, Tensor | None]:
        """Read a photo once: for the store, as the CLIP sees it and as the person's network."""
        item, loaded = photo.item, read_image(photo.item.path)
        # What was read of the file is stored under the names it has there, but for its pixels.
        facts = {name: getattr(loaded, name) for name in _FACTS}
        row = NewImage(path=item.relative, class_id=photo.class_id, box=item.box, **facts)
        # A file that was written since may still have the content that is stored.
        if loaded.image is None or photo.explained == loaded.content_hash:
            return row, None, None
        networks = self.context.networks
        other = networks.classifier
        theirs = None if other is None else other.transform(loaded.image)
        return row, networks.clip.preprocess(loaded.image), theirs

    def compute(self, data: Photos, tick: Callable[[float], None]) -> Passed:  # noqa: D102
        given = [
            prediction for place in data.readable if (prediction := data.given[place]) is not None
        ]
        if data.views is None:
            return Passed(data.rows, data.readable, given, None, None)
        rows = [data.rows[place] for place in data.readable]
        true = torch.tensor([data.classes[place] for place in data.readable])
        predicted = torch.tensor([each.top[0][0] for each in given]) if given else None
        explanation, witness = self._explainer.explain(
            rows, data.views, data.theirs, true, predicted
        )
        return Passed(data.rows, data.readable, given, explanation, witness)

    def halves(self, data: Photos) -> Sequence[tuple[int, Photos]]:  # noqa: D102
        return in_halves(data)

    @property
    def texts(self) -> Tensor:
        """The classes' text embeddings (K, D) by the CLIP."""
        return self._explainer.texts
