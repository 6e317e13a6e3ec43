import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from db import queries, writes
from db.engine import finish, open_read, open_write, writing
from db.errors import StoreError
from db.files import APPLICATION_ID
from db.migrations.steps import STEPS
from db.rows import RunSpec
from db.schema import SCHEMA_VERSION


def make(path: Path, spec: RunSpec) -> Path:
    engine = open_write(path)
    writes.start_run(engine, spec)
    assert finish(engine)
    return path


def test_a_new_file_is_ours_and_in_wal_mode(tmp_path: Path) -> None:
    engine = open_write(tmp_path / "new.db")
    with engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("application_id", "user_version", "journal_mode", "foreign_keys")
        }
        assert pragma == {
            "application_id": APPLICATION_ID,
            "user_version": SCHEMA_VERSION,
            "journal_mode": "wal",
            "foreign_keys": 1,
        }
    engine.dispose()


def test_a_finished_file_is_one_plain_file(tmp_path: Path, spec: RunSpec) -> None:
    path = make(tmp_path / "done.db", spec)
    assert [entry.name for entry in tmp_path.iterdir()] == ["done.db"]
    # Bytes 18 and 19 of the header: 1 is a rollback journal, 2 is WAL.
    assert path.read_bytes()[18:20] == b"\x01\x01"
    assert [run.config_hash for run in queries.runs(open_read(path))] == ["hash-1"]
    again = open_write(path)
    assert len(queries.runs(again)) == 1
    assert finish(again)


def test_finishing_does_not_wait_for_a_reader(tmp_path: Path, spec: RunSpec) -> None:
    path = tmp_path / "read.db"
    engine = open_write(path)
    writes.start_run(engine, spec)
    reader = open_read(path)
    with reader.connect() as connection:
        connection.execute(text("SELECT count(*) FROM run")).scalar()
        assert not finish(engine)
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 1
    reader.dispose()
    again = open_write(path)
    assert finish(again)


def _text_file(path: Path, spec: RunSpec) -> None:
    path.write_text("Dear diary, this is no database at all. " * 300)


def _foreign(path: Path, spec: RunSpec) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE run (id INTEGER)")
    connection.close()


def _other_application(path: Path, spec: RunSpec) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id = 252006673")
    connection.close()


def _truncated(path: Path, spec: RunSpec) -> None:
    os.truncate(make(path, spec), 8192 * 3)


def _beheaded(path: Path, spec: RunSpec) -> None:
    os.truncate(make(path, spec), 50)


def _newer(path: Path, spec: RunSpec) -> None:
    with sqlite3.connect(make(path, spec)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()


def _missing(path: Path, spec: RunSpec) -> None:
    pass


def _empty(path: Path, spec: RunSpec) -> None:
    path.touch()


def _folder(path: Path, spec: RunSpec) -> None:
    path.mkdir()


Spoil = Callable[[Path, RunSpec], None]
BOTH: list[tuple[Spoil, str]] = [
    (_text_file, "is not a MapCap file"),
    (_foreign, "is not a MapCap file"),
    (_other_application, "is not a MapCap file"),
    (_truncated, "truncated or damaged"),
    (_beheaded, "truncated or damaged"),
    (_newer, "install the newer MapCap"),
]


@pytest.mark.parametrize(("spoil", "message"), BOTH)
def test_an_unusable_file_is_refused_both_ways_and_left_as_it_is(
    tmp_path: Path, spec: RunSpec, spoil: Spoil, message: str
) -> None:
    path = tmp_path / "bad.db"
    spoil(path, spec)
    before = path.read_bytes()
    for opened in (open_read, open_write):
        with pytest.raises(StoreError, match=message) as caught:
            opened(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.db"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_missing, "does not exist"), (_empty, "is empty"), (_folder, "is not a file")],
)
def test_nothing_to_read_is_refused_with_what_to_do(
    tmp_path: Path, spec: RunSpec, spoil: Spoil, message: str
) -> None:
    path = tmp_path / "none.db"
    spoil(path, spec)
    with pytest.raises(StoreError, match=message):
        open_read(path)


def test_an_old_sqlite_cannot_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreError, match="newer Python"):
        open_write(tmp_path / "new.db")


def test_an_empty_file_may_be_filled(tmp_path: Path, spec: RunSpec) -> None:
    path = tmp_path / "none.db"
    path.touch()
    make(path, spec)
    assert len(queries.runs(open_read(path))) == 1


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="create it first"):
        open_write(tmp_path / "nowhere" / "new.db")
    with pytest.raises(StoreError, match="is a folder"):
        open_write(tmp_path)


def test_an_older_file_is_refused_for_reading_and_brought_up_for_writing(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "old.db", spec)

    def step(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE later (id INTEGER)")

    monkeypatch.setattr("db.migrations.STEPS", (*STEPS, step))
    for module in ("db.engine", "db.files"):
        monkeypatch.setattr(f"{module}.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(StoreError, match="older MapCap"):
        open_read(path)
    engine = open_write(path)
    assert "later" in inspect(engine).get_table_names()
    assert finish(engine)
    assert len(queries.runs(open_read(path))) == 1


def test_a_locked_file_is_refused(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.files.READ_TIMEOUT", 0.05)
    path = make(tmp_path / "locked.db", spec)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is locked by another program"):
        open_read(path)
    holder.rollback()
    holder.close()
    assert len(queries.runs(open_read(path))) == 1


def test_a_file_that_breaks_during_use_is_an_error_of_the_store(
    tmp_path: Path, spec: RunSpec
) -> None:
    path = make(tmp_path / "breaks.db", spec)
    reader = open_read(path)
    assert len(queries.runs(reader)) == 1
    reader.dispose()
    path.write_bytes(b"something else altogether" * 1000)
    with pytest.raises(StoreError, match="is not a MapCap file"):
        queries.runs(reader)
    path.unlink()
    reader.dispose()
    with pytest.raises(StoreError, match="cannot be opened"):
        queries.runs(reader)


def test_a_file_that_lacks_a_table_is_an_error_of_the_store(tmp_path: Path, spec: RunSpec) -> None:
    path = make(tmp_path / "lacks.db", spec)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE stage")
    connection.close()
    with pytest.raises(StoreError, match="lacks parts"):
        queries.stages(open_read(path), 1)


def test_text_that_is_not_utf8_is_read_with_replacement(tmp_path: Path, spec: RunSpec) -> None:
    path = make(tmp_path / "bytes.db", spec)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE run SET host = CAST(x'61ff62' AS TEXT)")
    connection.close()
    assert queries.latest_run(open_read(path)).host == "a\ufffdb"


@pytest.mark.parametrize("name", ["a b?mode=rw#x.db", "50%25.db", "ümlaut – 猫.db", "'quote\".db"])
def test_any_name_is_only_a_name(tmp_path: Path, spec: RunSpec, name: str) -> None:
    make(tmp_path / name, spec)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    assert len(queries.runs(open_read(tmp_path / name))) == 1


def test_reading_creates_and_changes_nothing(tmp_path: Path, spec: RunSpec) -> None:
    path = make(tmp_path / "still.db", spec)
    before = path.read_bytes()
    reader = open_read(path)
    queries.counts(reader, 1)
    reader.dispose()
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["still.db"]


def test_a_reader_works_in_another_process_while_the_writer_writes(
    tmp_path: Path, spec: RunSpec
) -> None:
    path = tmp_path / "two.db"
    engine = open_write(path)
    writes.start_run(engine, spec)
    script = (
        "import sys; from db.engine import open_read; from db import queries; "
        "print(queries.latest_run(open_read(sys.argv[1])).status)"
    )
    with writing(engine) as connection:
        connection.execute(text("UPDATE run SET status = 'failed'"))
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
    assert (done.stdout, done.returncode) == ("running\n", 0), done.stderr
    engine.dispose()
