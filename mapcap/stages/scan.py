"""Stage `scan`: every file of the dataset, readable or not, into the store."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Final

from db import queries, writes
from db.rows import NewImage
from mapcap.datasets import Item, LoadedImage, read_image
from mapcap.stages.base import Stage
from mapcap.stages.pictures import at_once

_FACTS: Final = [field.name for field in fields(LoadedImage) if field.name != "image"]


class Scan(Stage[list[NewImage]]):
    """Paths, sizes, hashes, boxes and thumbnails; a broken file is stored with its error."""

    name = "scan"
    unit = "files"

    def total(self) -> int:  # noqa: D102
        return len(self.job.dataset.items)

    def pending(self) -> Sequence[Item]:  # noqa: D102
        known = queries.known_images(self.job.engine, self.job.run_id)
        return [item for item in self.job.dataset.items if item.relative not in known]

    def read(self, items: Sequence[Item]) -> list[NewImage]:  # noqa: D102
        return at_once(self._row, items)

    def _row(self, item: Item) -> NewImage:
        loaded = read_image(item.path)
        # What was read of the file is stored under the names it has there, but for its pixels.
        facts = {name: getattr(loaded, name) for name in _FACTS}
        class_id = self.job.class_ids[item.class_index]
        return NewImage(path=item.relative, class_id=class_id, box=item.box, **facts)

    def compute(self, data: list[NewImage], tick: Callable[[float], None]) -> None:  # noqa: D102
        writes.add_images(self.job.engine, self.job.run_id, data)
