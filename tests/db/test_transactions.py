from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from db import queries, writes
from db.engine import open_read, open_write, writing
from db.errors import StoreError
from db.rows import RunSpec


def test_a_reader_sees_what_a_writer_has_committed_and_cannot_write(
    tmp_path: Path, spec: RunSpec
) -> None:
    path = tmp_path / "live.db"
    engine = open_write(path)
    reader = open_read(path)
    assert queries.runs(reader) == []
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM run"))
        # The write lock is held: reading goes on.
        assert queries.runs(reader) == []
    run_id = writes.start_run(engine, spec)
    assert queries.latest_run(reader).id == run_id
    with pytest.raises(StoreError, match="cannot be written"):
        writes.set_status(reader, run_id, "done")
    engine.dispose()
    reader.dispose()


def test_a_read_transaction_keeps_its_view(tmp_path: Path, spec: RunSpec) -> None:
    engine = open_write(tmp_path / "view.db")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
        writes.start_run(engine, spec)
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
    engine.dispose()


def test_a_failed_batch_leaves_nothing(engine: Engine, spec: RunSpec) -> None:
    writes.start_run(engine, spec)
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(text("DELETE FROM run"))
        raise ZeroDivisionError
    assert len(queries.runs(engine)) == 1


def test_a_transaction_that_writes_takes_the_lock_at_once(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(
        engine, "before_cursor_execute", lambda _c, _u, sql, *_rest: statements.append(sql)
    )
    with writing(engine):
        pass
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert statements == ["BEGIN IMMEDIATE", "BEGIN", "SELECT 1"]
