"""The scripts that measure the app: what they say is checked, not how fast it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect

from db import queries
from db.engine import open_read
from db.schema import Base
from scripts.bench_browse.__main__ import environment, summary
from scripts.bench_browse.store import build
from scripts.bench_browse.terminal import Terminal
from scripts.bench_browse.walk import Walk
from scripts.importtime import by_package

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bench") / "bench.db"
    build(file, 600, 20)
    return file


def test_the_store_is_whole(large: Path) -> None:
    engine = open_read(large)
    run_id = queries.latest_run(engine).id
    counts = queries.counts(engine, run_id)
    assert (counts.classes, counts.images, counts.predicted) == (20, 600, 600)
    assert counts.regions == sum(v.ids.size for v in queries.region_embeddings(
        engine, run_id, "pooled", chunk=100))  # fmt: skip
    image = queries.images(engine, queries.classes(engine, run_id)[3].id, limit=1)[0]
    assert queries.regions(engine, image.id)[0].caption
    assert len(queries.top_classes(engine, image.id)) == 5
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    made = inspect(engine)
    for name, table in Base.metadata.tables.items():
        # They are taken away while the rows are written.
        wanted = {index.name for index in table.indexes}
        assert wanted <= {index["name"] for index in made.get_indexes(name)}
    engine.dispose()
    assert [each.name for each in large.parent.iterdir()] == ["bench.db"]


def test_the_app_paints_the_classes_and_follows_the_cursor(large: Path, tmp_path: Path) -> None:
    engine = open_read(large)
    command = [sys.executable, "-m", "mapcap", "browse", str(large), "--images", "half"]
    terminal = Terminal(command, environment(tmp_path))
    try:
        walk = Walk(terminal, engine)
        assert walk.start() > 0
        walk.classes_cursor()
        assert len(walk.figures["classes: cursor"]) == 19
    finally:
        terminal.close()
        engine.dispose()


def test_a_summary_is_of_milliseconds() -> None:
    found = summary([0.001 * n for n in range(1, 101)])
    assert found == {"n": 100, "min_ms": 1, "p50_ms": 50.5, "p95_ms": 96, "max_ms": 100}


def test_packages_are_summed_and_the_slowest_comes_first() -> None:
    found = by_package({"a": 1, "b.c": 5, "a.x": 2, "b": 1})
    assert list(found.items()) == [("b", (2, 6)), ("a", (2, 3))]


def test_the_path_to_the_first_screen_loads_nothing_heavy() -> None:
    command = [sys.executable, "scripts/importtime.py", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["unwanted"] == []
    assert "textual" in json.loads(done.stdout)["packages"]
