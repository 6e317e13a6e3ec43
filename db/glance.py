"""The first look at a file: what the browser's first screen shows, read by sqlite3 alone.

Loading SQLAlchemy with the tables takes longer than the whole half second in which the first
screen is to be there. What is read here is what `queries.run` and `queries.classes` would give: a
test holds them together.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from db.errors import StoreError
from db.files import READ_TIMEOUT, check, connect, explained
from db.records import ClassName, Run, RunTotals, Stage
from db.values import json_of, moment_of

_RUN: Final = """
    SELECT id, config_hash, config, preset, dataset, networks, versions, host, device, started,
    finished, status, notes FROM run
"""
_CLASSES: Final = """
    SELECT c.id, c.position, c.name, c.label, c.images, c.readable, c.predicted, c.correct,
    c.accuracy, c.accuracy_low, c.accuracy_high, c.mean_true_probability, c.top_wrong_class_id,
    wrong.name, c.top_wrong_count, c.distinct_captions, c.first_sentence
    FROM class_name AS c LEFT JOIN class_name AS wrong ON wrong.id = c.top_wrong_class_id
    WHERE c.run_id = ? ORDER BY c.position
"""
_STAGES: Final = """
    SELECT name, position, done, total, seconds, worked / nullif(seconds, 0.0), status
    FROM stage WHERE run_id = ? ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """A run with its stages and its classes, by position."""

    run: Run
    stages: list[Stage]
    classes: list[ClassName]

    @property
    def totals(self) -> RunTotals:
        """The sums over the classes."""
        every = self.classes
        return RunTotals(
            len(every),
            sum(each.images for each in every),
            sum(each.readable for each in every),
            sum(each.predicted for each in every),
            sum(each.correct for each in every),
        )


def glance(file: Path, run_id: int | None = None) -> Glance:
    """Look at a run of a file, the one that began last if `run_id` is None.

    Raises:
        StoreError: for a file that cannot be used, or a run that it does not have.
    """
    check(file)
    with closing(connect(file, "ro", READ_TIMEOUT)) as connection:
        try:
            run = _run(connection, run_id)
            stages = connection.execute(_STAGES, (run.id,)).fetchall()
            classes = connection.execute(_CLASSES, (run.id,)).fetchall()
        except sqlite3.Error as error:
            raise explained(file, error) or error from error
    return Glance(run, [Stage(*row) for row in stages], [ClassName(*row) for row in classes])


def _run(connection: sqlite3.Connection, run_id: int | None) -> Run:
    if run_id is None:
        rows = connection.execute(f"{_RUN} ORDER BY started DESC, id DESC LIMIT 1").fetchall()
        if not rows:
            raise StoreError("the file holds no run yet: run `mapcap index` to fill it")
    else:
        rows = connection.execute(f"{_RUN} WHERE id = ?", (run_id,)).fetchall()
        if not rows:
            raise StoreError(f"the file has no run {run_id}: `mapcap status` lists its runs")
    values: dict[str, Any] = dict(zip(Run.__slots__, rows[0], strict=True))
    for name in ("config", "networks", "versions", "notes"):
        values[name] = json_of(values[name])
    for name in ("started", "finished"):
        values[name] = moment_of(values[name])
    return Run(**values)
