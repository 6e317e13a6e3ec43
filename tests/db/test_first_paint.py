"""The first look at a file agrees with the queries, and refuses what they would refuse."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db import queries, writes
from db.engine import open_write
from db.errors import StoreError
from db.first_paint import glance


def path_of(store: Any) -> Path:
    return Path(store.engine.url.database)


def test_it_sees_what_the_queries_give(store: Any) -> None:
    found = glance(path_of(store))
    run_id = store.run_id
    assert found.run == queries.latest_run(store.engine) == queries.run(store.engine, run_id)
    assert found.classes == queries.classes(store.engine, run_id)
    assert found.stages == queries.stages(store.engine, run_id)
    assert found.totals == queries.run_totals(store.engine, run_id)
    assert glance(path_of(store), run_id) == found


def test_a_run_that_is_not_there(store: Any, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run 99"):
        glance(path_of(store), 99)
    open_write(tmp_path / "empty.db").dispose()
    with pytest.raises(StoreError, match="holds no run yet"):
        glance(tmp_path / "empty.db")


def test_a_file_without_its_tables_or_with_damaged_values(store: Any, tmp_path: Path) -> None:
    whole = sqlite3.connect(path_of(store))
    for name, damage, message in (
        ("tables.db", "DROP TABLE class_name", "lacks parts"),
        ("json.db", "UPDATE run SET config = '{'", "JSON value is damaged"),
        ("date.db", "UPDATE run SET started = 'soon'", "date is damaged"),
    ):
        broken = sqlite3.connect(tmp_path / name)
        whole.backup(broken)
        broken.execute(damage)
        broken.commit()
        broken.close()
        with pytest.raises(StoreError, match=message):
            glance(tmp_path / name)
    whole.close()
    with pytest.raises(StoreError, match="does not exist"):
        glance(tmp_path / "none.db")


def test_the_totals_are_the_sums_of_the_classes(store: Any) -> None:
    with store.engine.connect() as connection:
        [row] = connection.execute(
            text("SELECT count(*), sum(images), sum(predicted), sum(correct) FROM class_name")
        )
    totals = queries.run_totals(store.engine, store.run_id)
    assert (totals.classes, totals.images, totals.predicted, totals.correct) == tuple(row)
    writes.aggregate_accuracy(store.engine, store.run_id)
    assert queries.run_totals(store.engine, 99).images == 0


def test_it_needs_neither_sqlalchemy_nor_numpy() -> None:
    code = (
        "import sys, db.first_paint, db.interrupts; print({'sqlalchemy', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
