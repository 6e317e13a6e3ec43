"""Files as somebody may send them: what their schema runs is refused, what they hold is checked."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile

import pytest

from db import queries
from db.engine import finish, open_read, open_write, writing
from db.errors import StoreError
from db.first_paint import glance
from db.limited import LimitedConnection
from db.schema import Base
from db.shape import TABLES
from db.verdicts import Verdict, read_verdicts, write_verdicts
from tests.stores import StoredRun, copy_run

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
STRANGE = {
    "view": ["DROP TABLE stage", f"CREATE VIEW stage AS {ENDLESS} i AS run_id FROM n"],
    "view in capitals": ["DROP TABLE stage", f"CREATE VIEW STAGE AS {ENDLESS} i AS run_id FROM n"],
    "trigger": ["CREATE TRIGGER x AFTER UPDATE ON run BEGIN DELETE FROM prediction; END"],
    "trigger of our name": [
        "DROP TRIGGER caption_fts_insert",
        "CREATE TRIGGER caption_fts_insert AFTER INSERT ON caption BEGIN DELETE FROM image; END",
    ],
    "computed column": [
        "ALTER TABLE image ADD COLUMN z GENERATED ALWAYS AS (hex(zeroblob(300000000))) VIRTUAL"
    ],
    "virtual table": ["DROP TABLE figure", "CREATE VIRTUAL TABLE figure USING fts5(name)"],
    "other index of words": [
        "DROP TABLE caption_fts", "CREATE VIRTUAL TABLE caption_fts USING fts5(text)",
    ],
}  # fmt: skip


def tampered(store: StoredRun, path: Path, statements: list[str]) -> Path:
    copyfile(store.path, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize("what", STRANGE)
@pytest.mark.parametrize("use", [open_read, open_write, glance])
def test_a_schema_that_is_not_ours_is_refused_before_anything_runs(
    counted: StoredRun, tmp_path: Path, what: str, use: Callable[[Path], object]
) -> None:
    file = tampered(counted, tmp_path / "strange.db", STRANGE[what])
    with pytest.raises(StoreError, match=r"strange\.db is not as MapCap made it"):
        use(file)


def test_what_is_looked_at_are_all_the_tables() -> None:
    assert {name for name in TABLES if not name.startswith("caption_fts")} == set(
        Base.metadata.tables
    )


def test_tables_and_views_of_other_names_are_left_alone(counted: StoredRun, tmp_path: Path) -> None:
    file = tampered(
        counted, tmp_path / "own.db", ["CREATE TABLE own(x)", "CREATE VIEW v AS SELECT * FROM own"]
    )
    assert queries.runs(open_read(file))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("class_name.accuracy", "'\x1b[31m'"),
        ("class_name.correct", "'many'"),
        ("class_name.name", "x'00ff'"),
        ("class_name.images", "1.5"),
        ("class_name.accuracy", "9e999"),
        ("run.started", "'today'"),
        ("stage.seconds", "'\x1b'"),
    ],
)
def test_a_value_of_another_type_is_an_error_in_both_ways_of_reading(
    counted: StoredRun, tmp_path: Path, column: str, value: str
) -> None:
    table, _, name = column.partition(".")
    row = "INSERT INTO stage VALUES (1, 'images', 0, 0, 0, 0, 0, 'done', 0, 0, 0, '')"
    file = tampered(
        counted, tmp_path / "typed.db",
        ["DELETE FROM stage", row, f"UPDATE {table} SET {name} = {value}"],
    )  # fmt: skip
    with pytest.raises(StoreError, match="is damaged"):
        glance(file)
    engine = open_read(file)
    with pytest.raises(StoreError, match="is damaged"):
        (queries.runs(engine), queries.classes(engine, 1), queries.stages(engine, 1))


def test_json_of_another_shape_is_read_as_empty(counted: StoredRun, tmp_path: Path) -> None:
    file = tampered(
        counted, tmp_path / "json.db", ["UPDATE run SET config = '[1]', notes = '[{}, \"x\"]'"]
    )
    run = queries.runs(open_read(file))[0]
    assert (run.config, run.notes) == ({}, ["{}", "x"])
    assert (glance(file, run.id).run.config, glance(file, run.id).run.notes) == ({}, ["{}", "x"])


def test_a_statement_without_end_is_ended() -> None:
    with closing(sqlite3.connect(":memory:", factory=LimitedConnection)) as connection:
        connection.limit(0)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            connection.execute(f"{ENDLESS} count(*) FROM n").fetchall()
        assert connection.exhausted
        connection.renew()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_value_beyond_all_that_is_stored_is_not_made() -> None:
    with closing(sqlite3.connect(":memory:", factory=LimitedConnection)) as connection:
        connection.limit(0)
        with pytest.raises(sqlite3.DataError, match="too big"):
            connection.execute("SELECT zeroblob(300000000)").fetchone()
        with pytest.raises(StoreError, match="longer than any"):
            connection.execute("SELECT hex(zeroblob(5000000))").fetchone()


def test_an_old_wal_beside_a_finished_file_is_told(counted: StoredRun, tmp_path: Path) -> None:
    run = copy_run(counted, tmp_path / "run.db")
    with writing(run.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE later(x)")
    wal = tmp_path / "run.db-wal"
    old = wal.read_bytes()
    assert finish(run.engine)
    wal.write_bytes(old)
    with pytest.raises(StoreError, match=r"run\.db-wal lies beside a finished file"):
        open_read(run.path)
    wal.unlink()
    assert queries.runs(open_read(run.path))


def test_a_file_without_its_wal_is_told_from_an_empty_one(tmp_path: Path) -> None:
    file, moved = tmp_path / "job.db", tmp_path / "moved.db"
    engine = open_write(file)
    moved.write_bytes(file.read_bytes())
    with pytest.raises(StoreError, match=r"lies in moved\.db-wal"):
        open_read(moved)
    engine.dispose()
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="is empty"):
        open_read(tmp_path / "empty.db")


def test_a_file_that_is_moved_away_ends_the_job(counted: StoredRun, tmp_path: Path) -> None:
    run = copy_run(counted, tmp_path / "run.db")
    with writing(run.engine) as connection:
        connection.exec_driver_sql("CREATE TABLE mine(x)")
    run.path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match="was moved, removed or replaced"), writing(run.engine):
        raise AssertionError("nothing may be written")


@pytest.mark.parametrize("made", ["1e300", "9e999"])
def test_a_verdict_of_no_date_is_an_error(tmp_path: Path, made: str) -> None:
    file = tmp_path / "verdicts.sqlite"
    moment = datetime(2024, 5, 6, tzinfo=UTC)
    write_verdicts(file, Verdict("hash", "class", "tabby", "fine", "", moment))
    assert read_verdicts(file, "hash")["class", "tabby"].made == moment
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"UPDATE verdict SET made = {made}")
    with pytest.raises(StoreError, match="date is damaged"):
        read_verdicts(file, "hash")


def test_a_pipe_holds_no_verdicts(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="is not a file"):
        read_verdicts(tmp_path / "pipe", "hash")
