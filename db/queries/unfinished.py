"""What a run holds before its figures are aggregated: counted row by row."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, case, func, select

from db import schema
from db.queries._classes import classes
from db.queries._runs import counts
from db.records import ClassName, Run, RunCounts
from db.sql import Query, judged
from db.stats import wilson


def classes_now(engine: Engine, run: Run) -> list[ClassName]:
    """Return the classes of a run by position; what no stage has aggregated yet is counted."""
    return classes(engine, run.id) if run.status == "done" else stored_classes(engine, run.id)


def counts_now(engine: Engine, run: Run) -> RunCounts:
    """Return how much a run holds; what no stage has aggregated yet is counted."""
    return counts(engine, run.id) if run.status == "done" else stored_counts(engine, run.id)


def stored_classes(engine: Engine, run_id: int) -> list[ClassName]:
    """Return the classes of a run by position, their images and predictions as stored just now."""
    read, predicted = _images(engine, run_id), _predictions(engine, run_id)
    return [
        _counted(record, read.get(record.id, (0, 0)), predicted.get(record.id, (0, 0)))
        for record in classes(engine, run_id)
    ]


def stored_counts(engine: Engine, run_id: int) -> RunCounts:
    """Return how much a run holds, its images and predictions counted one by one."""
    read, predicted = _images(engine, run_id), _predictions(engine, run_id)
    return replace(
        counts(engine, run_id),
        images=sum(images for images, _ in read.values()),
        readable=sum(readable for _, readable in read.values()),
        predicted=sum(total for total, _ in predicted.values()),
        correct=_sum([correct for _, correct in predicted.values()]),
        without_images=0,  # not known before the last one is there
    )


def unreadable_images(engine: Engine, run_id: int) -> list[tuple[str, str]]:
    """Return the path of each image that could not be read, with the reason, by path."""
    table = schema.Image
    query: Query = select(table.path, table.error).where(
        table.run_id == run_id, table.error.is_not(None)
    )
    with engine.connect() as connection:
        return [(path, error) for path, error in connection.execute(query.order_by(table.path))]


def count_boxes_outside(engine: Engine, run_id: int) -> int:
    """Return how many images have a box that reaches beyond them by more than a pixel."""
    table = schema.Image
    beyond = (table.x1 > table.width + 1) | (table.y1 > table.height + 1)
    query: Query = select(func.count()).where(table.run_id == run_id, beyond)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known or not counts else None


def _images(engine: Engine, run_id: int) -> dict[int, tuple[int, int]]:
    table = schema.Image
    readable = func.count(case((table.error.is_(None), 1)))
    query: Query = select(table.class_id, func.count(), readable).where(table.run_id == run_id)
    with engine.connect() as connection:
        rows = connection.execute(query.group_by(table.class_id))
        return {class_id: (images, read) for class_id, images, read in rows}


def _predictions(engine: Engine, run_id: int) -> dict[int, tuple[int, int | None]]:
    """Return how many images of each class are predicted, and how many of them correctly."""
    table = schema.Prediction
    right = case((func.count(judged()) > 0, func.count(case((judged(), 1)))))
    query: Query = (
        select(table.class_id, func.count(), right)
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id)
    )
    with engine.connect() as connection:
        rows = connection.execute(query.group_by(table.class_id))
        return {class_id: (predicted, correct) for class_id, predicted, correct in rows}


def _counted(
    record: ClassName, read: tuple[int, int], outcome: tuple[int, int | None]
) -> ClassName:
    """Return a class with its images and those read, and its predicted and correct ones."""
    (images, readable), (predicted, correct) = read, outcome
    judged_some = predicted and correct is not None
    low, high = wilson(correct or 0, predicted) if judged_some else (None, None)
    return replace(
        record,
        images=images,
        readable=readable,
        predicted=predicted,
        correct=correct,
        accuracy=(correct or 0) / predicted if judged_some else None,
        accuracy_low=low,
        accuracy_high=high,
    )
