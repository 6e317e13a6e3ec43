"""The first look at a file: what the browser's first screen shows, read by sqlite3 alone.

Loading SQLAlchemy with the tables takes longer than the whole half second in which the first
screen is to be there. What is read here is what `queries.run` and `queries.classes` would give: a
test holds them together.
"""

import sqlite3
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from db.errors import StoreError
from db.files import reading
from db.records import ClassName, Run, RunTotals, Stage
from db.values import Record, read_row

# Columns that no table has: the queries read them by the same text.
ITEMS_PER_SECOND: Final = "stage.worked / nullif(stage.seconds, 0.0)"
CORRECT: Final = (
    "CASE WHEN class_name.accuracy IS NOT NULL OR class_name.predicted = 0 "
    "THEN class_name.correct END"
)
TOP_WRONG_NAME: Final = (
    "(SELECT wrong.name FROM class_name AS wrong WHERE wrong.id = class_name.top_wrong_class_id)"
)


@dataclass(frozen=True, slots=True)
class Glance:
    """A run with its stages and its classes, by position."""

    run: Run
    stages: list[Stage]
    classes: list[ClassName]

    @property
    def totals(self) -> RunTotals:
        """The sums over the classes."""
        classes = self.classes
        witnessed = [each.agreed for each in classes if each.agreed is not None]
        predicted = sum(each.predicted for each in classes)
        correct = [each.correct or 0 for each in classes if each.accuracy is not None]
        return RunTotals(
            len(classes),
            sum(each.images for each in classes),
            sum(each.readable for each in classes),
            predicted,
            sum(correct) if correct or not predicted else None,
            None if not witnessed else sum(witnessed),
            sum(not each.images for each in classes),
        )


def glance(file: Path, run_id: int | None = None) -> Glance:
    """Look at a run of a file, the one that began last if `run_id` is None.

    Raises:
        StoreError: for a file that cannot be used, or a run that it does not have.
    """
    with reading(file) as connection:
        run = _run(connection, run_id)
        of_run = "WHERE run_id = ? ORDER BY position"
        stages = _read(
            connection, Stage, "stage", of_run, run.id, items_per_second=ITEMS_PER_SECOND
        )
        classes = _read(
            connection,
            ClassName,
            "class_name",
            of_run,
            run.id,
            correct=CORRECT,
            top_wrong_name=TOP_WRONG_NAME,
        )
    return Glance(run, stages, classes)


def _run(connection: sqlite3.Connection, run_id: int | None) -> Run:
    if run_id is None:
        runs = _read(connection, Run, "run", "ORDER BY started DESC, id DESC LIMIT 1")
        if not runs:
            raise StoreError("the file holds no run yet: run `mapcap index` to fill it")
    else:
        runs = _read(connection, Run, "run", "WHERE id = ?", run_id)
        if not runs:
            raise StoreError(f"the file has no run {run_id}: `mapcap status` lists its runs")
    return runs[0]


def _read(
    connection: sqlite3.Connection,
    kind: type[Record],
    table: str,
    rest: str,
    *parameters: int,
    **named: str,
) -> list[Record]:
    """Return a table's rows as records, each field from the column of its name."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    columns = ", ".join(named.get(name, f"{table}.{name}") for name in names)
    rows = connection.execute(f"SELECT {columns} FROM {table} {rest}", parameters)
    return [read_row(kind, dict(zip(names, row, strict=True))) for row in rows]
