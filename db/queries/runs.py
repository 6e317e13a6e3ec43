"""Runs, their stages and how much they hold."""

from sqlalchemy import Engine, func, select

from db import schema
from db.choice import choose
from db.errors import StoreError
from db.records import Run, RunCounts, RunTotals, Stage
from db.sql import Query

_RUN: Query = select(
    schema.Run.id,
    schema.Run.config_hash,
    schema.Run.config,
    schema.Run.preset,
    schema.Run.dataset,
    schema.Run.networks,
    schema.Run.versions,
    schema.Run.host,
    schema.Run.device,
    schema.Run.started,
    schema.Run.finished,
    schema.Run.status,
    schema.Run.notes,
)


def runs(engine: Engine) -> list[Run]:
    """Return all runs of the file, the one that began last first."""
    with engine.connect() as connection:
        rows = connection.execute(_RUN.order_by(schema.Run.started.desc(), schema.Run.id.desc()))
        return [Run(*row) for row in rows]


def run(engine: Engine, run_id: int) -> Run:
    """Return a run; StoreError if the file has none of that number."""
    with engine.connect() as connection:
        row = connection.execute(_RUN.where(schema.Run.id == run_id)).one_or_none()
    if row is None:
        raise StoreError(f"the file has no run {run_id}: `mapcap status` lists its runs")
    return Run(*row)


def latest_run(engine: Engine) -> Run:
    """Return the run to look at, as `db.choice.choose` has it; StoreError if the file has none."""
    found = runs(engine)
    wanted = choose([(each.id, each.status) for each in found]).run_id
    return next(each for each in found if each.id == wanted)


def stages(engine: Engine, run_id: int) -> list[Stage]:
    """Return the stages of a run in their order."""
    rate = schema.Stage.worked / func.nullif(schema.Stage.seconds, 0.0)
    query: Query = (
        select(
            schema.Stage.name,
            schema.Stage.position,
            schema.Stage.done,
            schema.Stage.total,
            schema.Stage.seconds,
            rate,
            schema.Stage.status,
        )
        .where(schema.Stage.run_id == run_id)
        .order_by(schema.Stage.position)
    )
    with engine.connect() as connection:
        return [Stage(*row) for row in connection.execute(query)]


_SUMS = [
    func.coalesce(func.sum(column), 0)
    for column in (
        schema.ClassName.images,
        schema.ClassName.readable,
        schema.ClassName.predicted,
        schema.ClassName.correct,
    )
]


def run_totals(engine: Engine, run_id: int) -> RunTotals:
    """Return the sums over a run's classes: no large table is counted."""
    query: Query = select(func.count(), *_SUMS).where(schema.ClassName.run_id == run_id)
    with engine.connect() as connection:
        return RunTotals(*connection.execute(query).one())


def counts(engine: Engine, run_id: int) -> RunCounts:
    """Return how much a run holds; counts its regions and captions one by one."""
    regions = select(func.count()).where(schema.Region.run_id == run_id).scalar_subquery()
    captions = select(func.count()).where(schema.Caption.run_id == run_id).scalar_subquery()
    query: Query = select(func.count(), *_SUMS, regions, captions).where(
        schema.ClassName.run_id == run_id
    )
    with engine.connect() as connection:
        return RunCounts(*connection.execute(query).one())
