"""Which run of a file is looked at where nobody names one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db.errors import StoreError
from db.files import reading
from db.values import text_of, whole_of


@dataclass(frozen=True, slots=True)
class Choice:
    """The run to look at; `newer` began after it and is not finished, None if there is no such."""

    run_id: int
    newer: int | None


def choose(runs: Sequence[tuple[int, str]]) -> Choice:
    """Choose among (id, status), the run that began last first: the first that is done.

    Where none is done it is the one that began last. StoreError if there is none at all.
    """
    if not runs:
        raise StoreError("the file holds no run yet: run `mapcap index` to fill it")
    done = [number for number, status in runs if status == "done"]
    newest = runs[0][0]
    chosen = done[0] if done else newest
    return Choice(chosen, newest if newest != chosen else None)


def chosen_run(file: Path) -> Choice:
    """Choose a run of a file, by sqlite3 alone: the browser paints before SQLAlchemy is loaded.

    Raises:
        StoreError: for a file that cannot be used, or that holds no run.
    """
    with reading(file) as connection:
        rows = connection.execute("SELECT id, status FROM run ORDER BY started DESC, id DESC")
        return choose([(whole_of(number) or 0, text_of(status) or "") for number, status in rows])
