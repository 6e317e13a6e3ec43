"""`mapcap evaluate --boxes`: boxes given after the run."""

from pathlib import Path

from sqlalchemy import Engine

from db import queries, writes
from db.records import Image, Run
from mapcap.config import IndexConfig
from mapcap.datasets.box_numbers import Boxes, in_pixels
from mapcap.datasets.boxes import match_boxes
from mapcap.datasets.records import Found
from mapcap.errors import UserError
from mapcap.evaluation.reading import predicted_images, read_boxed, sight_of
from mapcap.evaluation.storing import store_values
from mapcap.evaluation.values import box_values


def add_boxes(engine: Engine, run: Run, config: IndexConfig, table: Path, boxes: Boxes) -> int:
    """Store the boxes of a table with a run's images, and how its maps find them; return how many.

    Raises:
        UserError: for boxes of none of its images, or a run without regions.
    """
    sight = sight_of(engine, run)
    if sight is None:
        raise UserError(f"run {run.id} has no regions yet: finish `mapcap index` first")
    classes = queries.classes(engine, run.id)
    images = {record.id: predicted_images(engine, record.id) for record in classes}
    listed = [
        Found(Path(image.path), record.label, image.path)
        for record in classes
        for image in images[record.id]
    ]
    matched = match_boxes(table, boxes, listed)
    values = {}
    for record in classes:
        boxed_images = [image for image in images[record.id] if image.path in matched]
        writes.set_boxes(
            engine,
            {
                image.id: in_pixels(matched[image.path], _size(image), shares=boxes.shares)
                for image in boxed_images
            },
        )
        stored = predicted_images(engine, record.id)
        boxed = read_boxed(engine, stored, sight, (config.seed, record.id))
        values[record.id] = box_values(boxed, sight.size, config.threshold)
    store_values(engine, run.id, values, config.seed)
    return sum(box is not None for box in matched.values())


def _size(image: Image) -> tuple[int, int] | None:
    return (image.width, image.height) if image.width and image.height else None
