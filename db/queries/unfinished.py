"""What a run holds before its figures are aggregated: counted row by row."""

from dataclasses import replace

from sqlalchemy import Engine, case, func, select

from db import schema
from db.queries._classes import classes
from db.queries._runs import counts
from db.records import ClassName, Run, RunCounts
from db.sql import Query
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
        _counted(record, *read.get(record.id, (0, 0)), *predicted.get(record.id, (0, 0)))
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
        correct=sum(correct for _, correct in predicted.values()),
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


def _images(engine: Engine, run_id: int) -> dict[int, tuple[int, int]]:
    table = schema.Image
    readable = func.count(case((table.error.is_(None), 1)))
    query: Query = select(table.class_id, func.count(), readable).where(table.run_id == run_id)
    return _pairs(engine, query.group_by(table.class_id))


def _predictions(engine: Engine, run_id: int) -> dict[int, tuple[int, int]]:
    table = schema.Prediction
    query: Query = (
        select(table.class_id, func.count(), func.count(case((table.correct, 1))))
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id)
    )
    return _pairs(engine, query.group_by(table.class_id))


def _pairs(engine: Engine, query: Query) -> dict[int, tuple[int, int]]:
    with engine.connect() as connection:
        return {class_id: (total, part) for class_id, total, part in connection.execute(query)}


def _counted(
    record: ClassName, images: int, readable: int, predicted: int, correct: int
) -> ClassName:
    low, high = wilson(correct, predicted) if predicted else (None, None)
    return replace(
        record,
        images=images,
        readable=readable,
        predicted=predicted,
        correct=correct,
        accuracy=correct / predicted if predicted else None,
        accuracy_low=low,
        accuracy_high=high,
    )
