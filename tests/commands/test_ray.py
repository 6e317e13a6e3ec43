"""`--engine ray`: the store that the local engine fills, whatever is killed meanwhile."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mapcap.indexing.stages.explaining import Passed
from mapcap.indexing.stages.images import Images
from tests.calling import Result, mapcap, mapcap_process

Call = Callable[..., Result]

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray")
OF_THE_RUN = ("run", "stage", "lease")
"""Tables that say when, how fast and by whom; all others say what came of it."""
OPTIONS = ("--batch-size", "2", "--device", "cpu")


def rows(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that a run computes, ids and all."""
    with sqlite3.connect(db) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in tables if name not in OF_THE_RUN]
        return {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()
            for name in names
            if not name.startswith("sqlite_")
        }


@pytest.fixture(scope="module")
def local(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = tmp_path_factory.mktemp("local") / "photos.db"
    result = mapcap("index", photos, "--db", db, *OPTIONS)
    assert result.code == 0, result.err
    return db


def as_the_local_one(db: Path, local: Path) -> None:
    filled, expected = rows(db), rows(local)
    assert filled.keys() == expected.keys()
    assert [name for name in expected if filled[name] != expected[name]] == []


@pytest.mark.slow
@needs_ray
def test_two_actors_fill_the_same_store(photos: Path, local: Path, tmp_path: Path) -> None:
    db = tmp_path / "ray.db"
    spread = ("--engine", "ray", "--actors", "2")
    result = mapcap("index", photos, "--db", db, *OPTIONS, *spread)
    assert result.code == 0, result.err
    as_the_local_one(db, local)
    with sqlite3.connect(db) as connection, sqlite3.connect(local) as other:
        query = "SELECT config_hash, status FROM run"
        assert connection.execute(query).fetchall() == other.execute(query).fetchall()
        assert connection.execute("SELECT device FROM run").fetchone() == ("ray, 2 x cpu",)
    # The same run: another engine has nothing left to do.
    assert "nothing left to do" in mapcap("index", photos, "--db", db, *OPTIONS).err


def workers(ancestor: int) -> Iterator[int]:
    """Yield the processes of actors with networks that descend from a process."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            title = (entry / "cmdline").read_bytes()
            if b"MapBatches(Worker)" in title and ancestor in ancestors(int(entry.name)):
                yield int(entry.name)
        except OSError:  # it has ended
            continue


def ancestors(process: int) -> Iterator[int]:
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        yield process


@pytest.mark.slow
@needs_ray
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_killed_actors_and_a_killed_driver_lose_nothing(
    photos: Path,
    local: Path,
    tmp_path: Path,
    call: Call,
    loaded_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db = tmp_path / "killed.db"
    command = ("index", photos, "--db", db, *OPTIONS, "--engine", "ray", "--actors", "1")
    with mapcap_process(*command) as driver:
        while driver.poll() is None and not images(db):
            time.sleep(0.05)
        driver.kill()
    assert images(db) > 0, driver.stderr

    killed: list[int] = []
    stored: Callable[[Images, Passed], None] = Images.store

    def kill_then_store(stage: Images, result: Passed) -> None:
        if not killed:
            killed.extend(workers(os.getpid()))
            for process in killed:
                os.kill(process, signal.SIGKILL)
        stored(stage, result)

    monkeypatch.setattr(Images, "store", kill_then_store)
    before = images(db)
    result = call(*command)
    assert result.code == 0, result.err
    assert before == images(local) or killed
    as_the_local_one(db, local)


def images(db: Path) -> int:
    """Count the images that are stored so far."""
    if not db.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM image").fetchone()[0])
    except sqlite3.Error:  # the tables are being made
        return 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--engine", "spark"), "--engine spark: use one of local, ray"),
        (("--actors", "2"), "--actors 2: belongs to --engine ray"),
        (("--address", "auto"), "--address auto: belongs to --engine ray"),
        (("--engine", "ray", "--actors", "0"), "--actors 0: at least 1"),
        (("--engine", "ray", "--device", "cuda:1"), "--device cuda:1: with --engine ray"),
        (("--engine", "ray", "--address", "ray://head:10001"), "on a node of the cluster"),
    ],
)
def test_options_that_do_not_go_together_fail_before_any_work(
    options: tuple[str, ...], message: str, call: Call, photos: Path, tmp_path: Path
) -> None:
    result = call("index", photos, "--db", tmp_path / "x.db", *options)
    assert (result.code, list(tmp_path.iterdir())) == (2, [])
    assert message in " ".join(result.err.split())


def test_without_the_extra_it_is_named(
    call: Call, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapcap.indexing.ray_options.find_spec", lambda name: None)
    result = call("index", photos, "--db", tmp_path / "x.db", "--engine", "ray")
    assert result.code == 2 and "pip install 'mapcap[ray]'" in result.err
