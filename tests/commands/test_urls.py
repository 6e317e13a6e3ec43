"""Indexing photos that a server has."""

import sqlite3
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mapcap.datasets import LoadedImage, Place, read_image
from mapcap.indexing.stages import explaining
from mapcap.indexing.stages.images import Images
from tests.calling import CLASSES, Result
from tests.commands.test_index_command import contents
from tests.serving import Server

pytestmark = [
    pytest.mark.usefixtures("loaded_once"),
    pytest.mark.skipif(find_spec("aiohttp") is None, reason="needs the extra remote"),
]

Call = Callable[..., Result]


@pytest.fixture
def server(photos: Path) -> Iterator[Server]:
    serving = Server(photos)
    yield serving
    serving.stop()


def test_a_server_that_goes_away_ends_the_run_and_it_goes_on(
    call: Call, photos: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, db, fresh = (tmp_path / name for name in ("m.csv", "m.db", "fresh.db"))
    urls = [
        f"{server.address}/{name}/{path.name},{name}"
        for name in CLASSES
        for path in sorted((photos / name).glob("*.webp"))
    ]
    manifest.write_text("\n".join(["path,class", *urls]))
    read = 0

    def goes_away(place: Place) -> LoadedImage:
        nonlocal read
        read += 1
        if read == 5:
            server.stop()
        return read_image(place)

    monkeypatch.setattr(Images, "ahead", 1)  # two batches at once would share what was read
    monkeypatch.setattr(explaining, "read_image", goes_away)
    monkeypatch.setattr(explaining, "at_once", lambda function, items: [*map(function, items)])
    command = ("index", manifest, "--batch-size", "4", "--device", "cpu", "--db")
    result = call(*command, db)
    assert result.code == 2 and "the same command goes on" in result.err
    with sqlite3.connect(db) as connection:
        query = "SELECT count(*), count(content_hash) FROM image"
        assert connection.execute(query).fetchone() == (4, 4)

    server.start()
    monkeypatch.undo()
    result = call(*command, db)
    assert result.code == 0, result.err
    assert call(*command, fresh).code == 0
    assert contents(db) == contents(fresh)
    assert "nothing left to do" in call(*command, db).err
