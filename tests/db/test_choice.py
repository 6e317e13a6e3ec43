"""Which run is looked at: the app, the commands and the queries have one rule."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from db import queries, writes
from db.choice import Choice, choose, chosen_run
from db.engine import open_write
from db.errors import StoreError
from mapcap.commands.base import open_run
from tests.stores import make_spec


def test_the_newest_finished_run_else_the_newest() -> None:
    assert choose([(3, "running"), (2, "done"), (1, "done")]) == Choice(2, 3)
    assert choose([(2, "done"), (1, "interrupted")]) == Choice(2, None)
    assert choose([(2, "failed"), (1, "interrupted")]) == Choice(2, None)
    with pytest.raises(StoreError, match="mapcap index"):
        choose([])


def begun(engine: Engine, name: str) -> int:
    return writes.start_run(engine, make_spec(name))


def test_every_reader_chooses_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "store.db"
    engine = open_write(file)
    done = begun(engine, "one")
    writes.set_status(engine, done, "done")
    assert chosen_run(file) == Choice(done, None)
    assert open_run(file, None)[1].id == done
    assert capsys.readouterr().err == ""
    running = begun(engine, "two")
    assert chosen_run(file) == Choice(done, running)
    assert queries.latest_run(engine).id == done
    assert open_run(file, None)[1].id == done
    assert f"run {running} is not finished" in capsys.readouterr().err
    assert open_run(file, running)[1].id == running
    writes.set_status(engine, running, "done")
    assert chosen_run(file) == Choice(running, None)
    engine.dispose()
