"""Whole tables of a run, chunk by chunk."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from db import schema
from db.queries.export_tables import TABLES, Table
from db.sql import Query


def _of_run(table: Table, run_id: int) -> Query:
    """Return a table's query for one run."""
    # What comes first in the order is found by (run, path) or (run, position), already sorted.
    first = schema.Image.run_id if table.columns[0].name == "path" else schema.ClassName.run_id
    return table.query.where(first == run_id)


def row_count(engine: Engine, run_id: int, name: str) -> int:
    """Return how many rows a table of a run has."""
    query = _of_run(TABLES[name], run_id).order_by(None)
    with engine.connect() as connection:
        return int(
            connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        )


def rows(
    engine: Engine, run_id: int, name: str, *, chunk: int = 10_000
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a table of a run, `chunk` at a time, in the order of names or of paths.

    All are of one moment, also while a job writes; no more than a chunk is held at once. JSON
    comes as text. Closing the iterator ends the transaction.
    """
    query = _of_run(TABLES[name], run_id)
    with engine.connect() as connection:
        result = connection.execution_options(yield_per=chunk).execute(query)
        for part in result.partitions():
            yield [tuple(row) for row in part]
