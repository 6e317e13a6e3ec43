"""A photo read once and explained in one pass: what stage `images` computes, wherever it runs."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor

from db.rows import NewImage
from mapcap.datasets import Item, LoadedImage, Prediction, read_image
from mapcap.explanation import Explanation, Method, explain
from mapcap.indexing.batch_size import in_halves
from mapcap.indexing.stages.computation import Computation, Context
from mapcap.indexing.stages.pictures import at_once
from mapcap.zero_shot import class_weights

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
    seen: list[int]
    """The V photos that the network is to see: not those that cannot be read."""
    views: Tensor | None
    """(V, 3, H, W), None where there are none"""

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
        )


@dataclass(frozen=True)
class Passed:
    """The photos of a batch with what is to be stored of them."""

    rows: list[NewImage]
    seen: list[int]
    given: list[Prediction]
    """Of those seen; empty where the CLIP predicts."""
    found: Explanation | None
    """Of those seen."""


class Explaining(Computation[Sequence[Photo], Photos, Passed]):
    """Photos, read once, to what the pass tells of them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._method = Method.of(context.config)
        self._weights: Tensor | None = None

    def read(self, wanted: Sequence[Photo]) -> Photos:  # noqa: D102
        rows, tensors = zip(*at_once(self._photo, wanted), strict=True)
        readable = [place for place, view in enumerate(tensors) if view is not None]
        views = torch.stack([tensors[place] for place in readable]) if readable else None
        if views is not None and self.context.networks.clip.device.type == "cuda":
            views = views.pin_memory()  # which the device can fetch by itself
        classes = [photo.item.class_index for photo in wanted]
        given = [photo.item.prediction for photo in wanted]
        return Photos(list(rows), classes, given, readable, views)

    def _photo(self, photo: Photo) -> tuple[NewImage, Tensor | None]:
        """Read a photo once: for the store, and as the network sees it."""
        item, loaded = photo.item, read_image(photo.item.path)
        # What was read of the file is stored under the names it has there, but for its pixels.
        facts = {name: getattr(loaded, name) for name in _FACTS}
        row = NewImage(path=item.relative, class_id=photo.class_id, box=item.box, **facts)
        # A file that was written since may still have the content that is stored.
        if loaded.image is None or photo.explained == loaded.content_hash:
            return row, None
        return row, self.context.networks.clip.preprocess(loaded.image)

    def compute(self, data: Photos, tick: Callable[[float], None]) -> Passed:  # noqa: D102
        explanation = None
        given = [prediction for place in data.seen if (prediction := data.given[place]) is not None]
        if data.views is not None:
            clip, half = self.context.networks.clip, self.context.networks.half
            views = data.views.to(clip.device, non_blocking=True)
            true = torch.tensor([data.classes[place] for place in data.seen])
            predicted = (
                torch.tensor([prediction.top[0][0] for prediction in given]) if given else None
            )
            explanation = explain(
                clip.model, views, self.class_weights(), true, self._method, half, predicted
            )
        return Passed(data.rows, data.seen, given, explanation)

    def halves(self, data: Photos) -> Sequence[tuple[int, Photos]]:  # noqa: D102
        return in_halves(data)

    def class_weights(self) -> Tensor:
        """Return the class weights (K, D) of the run, computed when first asked for."""
        if self._weights is None:
            names = [class_label.name for class_label in self.context.classes]
            clip, templates = self.context.networks.clip, self.context.config.templates
            self._weights = class_weights(clip.model, clip.tokenizer, names, templates)
        return self._weights
