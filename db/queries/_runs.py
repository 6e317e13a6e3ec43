"""Runs, their stages, how much they hold, and how two of them differ."""

from typing import Any

from sqlalchemy import Engine, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import aliased

from db import schema
from db.choice import choose
from db.errors import StoreError
from db.first_paint import ITEMS_PER_SECOND
from db.records import Run, RunCounts, RunTotals, Stage
from db.records.evidence import OneSidedError, Paired
from db.sql import Query, columns_of, records
from db.types import Number

_EARLIER = aliased(schema.Prediction)
"""What the other of two runs predicts."""
_RUN: Query = select(*columns_of(Run, schema.Run))


def runs(engine: Engine) -> list[Run]:
    """Return all runs of the file, the one that began last first."""
    with engine.connect() as connection:
        rows = connection.execute(_RUN.order_by(schema.Run.started.desc(), schema.Run.id.desc()))
        return records(Run, rows)


def run_of(engine: Engine, config_hash: str) -> Run | None:
    """Return the run of a configuration, None if the file has none."""
    with engine.connect() as connection:
        matches = records(
            Run, connection.execute(_RUN.where(schema.Run.config_hash == config_hash))
        )
    return matches[0] if matches else None


def run(engine: Engine, run_id: int) -> Run:
    """Return a run; StoreError if the file has none of that number."""
    with engine.connect() as connection:
        matches = records(Run, connection.execute(_RUN.where(schema.Run.id == run_id)))
    if not matches:
        raise StoreError(f"the file has no run {run_id}: `mapcap status` lists its runs")
    return matches[0]


def latest_run(engine: Engine) -> Run:
    """Return the run to look at, as `db.choice.choose` has it; StoreError if the file has none."""
    candidates = runs(engine)
    wanted = choose([(each.id, each.status) for each in candidates]).run_id
    return next(each for each in candidates if each.id == wanted)


def stages(engine: Engine, run_id: int) -> list[Stage]:
    """Return the stages of a run in their order."""
    rate = literal_column(ITEMS_PER_SECOND, Number)
    query: Query = (
        select(*columns_of(Stage, schema.Stage, items_per_second=rate))
        .where(schema.Stage.run_id == run_id)
        .order_by(schema.Stage.position)
    )
    with engine.connect() as connection:
        return records(Stage, connection.execute(query))


def runs_sharing(engine: Engine, run_id: int, name: str, key: str) -> list[int]:
    """Return the other runs with a stage of this name and key, those with most of it first."""
    table = schema.Stage
    query = (
        select(table.run_id)
        .where(table.name == name, table.inputs_hash == key, table.run_id != run_id)
        .order_by(table.done.desc(), table.run_id)
    )
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


_SUMS = {
    column.key: func.coalesce(func.sum(column), 0)
    for column in (
        schema.ClassName.images,
        schema.ClassName.readable,
        schema.ClassName.predicted,
    )
} | {
    # Null where images are predicted and none of them has a label.
    "correct": case(
        (func.coalesce(func.sum(schema.ClassName.predicted), 0) == 0, 0),
        else_=func.sum(case((schema.ClassName.accuracy.is_not(None), schema.ClassName.correct))),
    ),
    "without_images": func.count(case((schema.ClassName.images == 0, 1))),
}


def run_totals(engine: Engine, run_id: int) -> RunTotals:
    """Return the sums over a run's classes: no large table is counted."""
    agreed = func.sum(schema.ClassName.agreed)
    query: Query = select(
        *columns_of(RunTotals, schema.ClassName, classes=func.count(), agreed=agreed, **_SUMS)
    ).where(schema.ClassName.run_id == run_id)
    with engine.connect() as connection:
        return records(RunTotals, connection.execute(query))[0]


def counts(engine: Engine, run_id: int) -> RunCounts:
    """Return how much a run holds; counts its regions and captions one by one."""
    regions = select(func.count()).where(schema.Region.run_id == run_id).scalar_subquery()
    captions = select(func.count()).where(schema.Caption.run_id == run_id).scalar_subquery()
    more = {"classes": func.count(), "regions": regions, "captions": captions}
    query: Query = select(*columns_of(RunCounts, schema.ClassName, **_SUMS, **more)).where(
        schema.ClassName.run_id == run_id
    )
    with engine.connect() as connection:
        return records(RunCounts, connection.execute(query))[0]


def paired_predictions(engine: Engine, run_id: int, other_run_id: int) -> list[Paired]:
    """Return the images that two runs have predicted, by the class of the first run.

    They are the same image where path and content are: a file that was replaced, or moved to
    another class, is not compared. `before` is what `other_run_id` said.
    """
    columns = columns_of(
        Paired, schema.Image, before=_EARLIER.correct, now=schema.Prediction.correct
    )
    with engine.connect() as connection:
        return records(Paired, connection.execute(_pairs(run_id, other_run_id, *columns)))


def one_sided_errors(
    engine: Engine, run_id: int, other_run_id: int, class_id: int
) -> list[OneSidedError]:
    """Return the images of a class of `run_id` that one of two runs alone predicts wrongly."""
    predicted, predicted_before = aliased(schema.ClassName), aliased(schema.ClassName)
    columns = columns_of(
        OneSidedError,
        schema.Image,
        before_name=predicted_before.name,
        now_name=predicted.name,
        now=schema.Prediction.correct,
    )
    query = (
        _pairs(run_id, other_run_id, *columns)
        .join(predicted, predicted.id == schema.Prediction.predicted_class_id)
        .join(predicted_before, predicted_before.id == _EARLIER.predicted_class_id)
        .where(schema.Image.class_id == class_id, schema.Prediction.correct != _EARLIER.correct)
    )
    with engine.connect() as connection:
        return records(OneSidedError, connection.execute(query))


def _pairs(run_id: int, other_run_id: int, *columns: Any) -> Query:
    """Select columns of the images that two runs have predicted, `_EARLIER` of the other run."""
    image, other = schema.Image, aliased(schema.Image)
    class_name, other_class = schema.ClassName, aliased(schema.ClassName)
    return (
        select(*columns)
        .select_from(image)
        .join(
            other,
            and_(
                other.run_id == other_run_id,
                other.path == image.path,
                other.content_hash == image.content_hash,
            ),
        )
        .join(schema.Prediction, schema.Prediction.image_id == image.id)
        .join(_EARLIER, _EARLIER.image_id == other.id)
        .join(class_name, class_name.id == image.class_id)
        .join(other_class, other_class.id == other.class_id)
        .where(
            image.run_id == run_id,
            class_name.label == other_class.label,
            # Whether an unlabelled image is correct, nobody knows.
            *(
                or_(each.true_rank.is_not(None), each.correct.is_(False))
                for each in (schema.Prediction, _EARLIER)
            ),
        )
        .order_by(class_name.position, image.id)
    )
