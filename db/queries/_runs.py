"""Runs, their stages, how much they hold, and how two of them differ."""

from sqlalchemy import Engine, and_, func, literal_column, select
from sqlalchemy.orm import aliased

from db import schema
from db.choice import choose
from db.errors import StoreError
from db.first_paint import ITEMS_PER_SECOND
from db.records import Run, RunCounts, RunTotals, Stage
from db.records.evidence import Paired
from db.sql import Query, columns_of, records
from db.types import Number

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


_SUMS = {
    column.key: func.coalesce(func.sum(column), 0)
    for column in (
        schema.ClassName.images,
        schema.ClassName.readable,
        schema.ClassName.predicted,
        schema.ClassName.correct,
    )
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
    image, other = schema.Image, aliased(schema.Image)
    class_name, other_class = schema.ClassName, aliased(schema.ClassName)
    prediction, earlier = schema.Prediction, aliased(schema.Prediction)
    query: Query = (
        select(*columns_of(Paired, image, before=earlier.correct, now=prediction.correct))
        .join(
            other,
            and_(
                other.run_id == other_run_id,
                other.path == image.path,
                other.content_hash == image.content_hash,
            ),
        )
        .join(prediction, prediction.image_id == image.id)
        .join(earlier, earlier.image_id == other.id)
        .join(class_name, class_name.id == image.class_id)
        .join(other_class, other_class.id == other.class_id)
        .where(image.run_id == run_id, class_name.label == other_class.label)
        .order_by(class_name.position, image.id)
    )
    with engine.connect() as connection:
        return records(Paired, connection.execute(query))
