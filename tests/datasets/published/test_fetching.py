"""A fetch from a server on the loopback or from archives given, and the folder that comes."""

import shutil
from collections.abc import Callable
from hashlib import md5, sha256
from pathlib import Path

import pytest

from mapcap.datasets.published import Published, catalogue, fetch
from mapcap.datasets.published.record import WORK
from mapcap.errors import UserError
from tests.datasets.published.made import BODY, Silent, made
from tests.datasets.published.serving import JPEG, Served, held, server, zipped


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Published]], None]:
    return lambda table: monkeypatch.setattr(catalogue, "CATALOGUE", table)


def test_a_download_is_checked_and_unpacked(tmp_path: Path, use) -> None:
    with server(Served(BODY, drops=[5000])) as served:
        use(made(served.url, checksum=md5(BODY).hexdigest()))
        fetched, new = fetch("cats", tmp_path / "out", None, (), Silent())
        assert new
        assert (fetched.images, fetched.step) == (300, "done")
        (source,) = fetched.sources
        assert (source.place, source.bytes) == (served.url, len(BODY))
        assert source.sha256 == sha256(BODY).hexdigest()
        assert source.checked
        files = held(tmp_path / "out")
        assert files["cat/7.jpg"].startswith(JPEG)
        assert files["note.txt"] == b"made\n"
        assert {name for name in files if name.startswith(WORK)} == {
            f"{WORK}/lock",
            f"{WORK}/record.json",
        }
        asked = len(served.asked)
        (tmp_path / "out" / "mine.txt").write_text("a person's")
        assert fetch("cats", tmp_path / "out", None, (), Silent()) == (fetched, False)
        assert len(served.asked) == asked
        assert (tmp_path / "out" / "mine.txt").exists()


def test_a_wrong_checksum_is_refused_and_fetched_again(tmp_path: Path, use) -> None:
    with server(Served(BODY)) as served:
        use(made(served.url, checksum=md5(b"other").hexdigest()))
        with pytest.raises(UserError, match=r"has the MD5 .* is published"):
            fetch("cats", tmp_path / "out", None, (), Silent())
        use(made(served.url, checksum=md5(BODY).hexdigest()))
        assert fetch("cats", tmp_path / "out", None, (), Silent())[1]
        assert served.asked == [None, None]


def test_an_archive_given_is_read_and_kept(tmp_path: Path, use) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(BODY)
    use(made("http://127.0.0.1:1/cats.zip", checksum=md5(b"other").hexdigest()))
    silent = Silent()
    fetched, new = fetch("cats", tmp_path / "out", None, [archive], silent)
    assert new
    assert fetched.images == 300
    assert not fetched.sources[0].checked
    assert "is not the published archive" in silent.lines[0]
    assert archive.read_bytes() == BODY
    assert not any("cats.zip" in name for name in held(tmp_path / "out"))


def test_a_given_archive_of_something_else(tmp_path: Path, use) -> None:
    archive = tmp_path / "dogs.zip"
    archive.write_bytes(zipped({"top/dog/1.jpg": JPEG}))
    use(made("http://127.0.0.1:1/cats.zip"))
    with pytest.raises(UserError, match="1 of the data set's photos are in it, where 300"):
        fetch("cats", tmp_path / "out", None, [archive], Silent())
    assert archive.exists()
    archive.write_bytes(BODY)
    assert fetch("cats", tmp_path / "out", None, [archive], Silent())[0].images == 300


@pytest.mark.parametrize("name", ["holiday.jpg", f"{WORK}/photos/1.jpg"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, use, name: str) -> None:
    use(made("http://127.0.0.1:1/cats.zip"))
    file = tmp_path / "out" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(JPEG)
    with pytest.raises(UserError, match="did not write, and they are left alone"):
        fetch("cats", tmp_path / "out", None, (), Silent())
    assert held(tmp_path / "out") == {name: JPEG}


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, use) -> None:
    use(made("http://127.0.0.1:1/cats.zip"))
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="is no folder"):
        fetch("cats", tmp_path / "out", None, (), Silent())


def test_a_link_in_the_place_of_the_work(tmp_path: Path, use) -> None:
    use(made("http://127.0.0.1:1/cats.zip"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / WORK).symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match="left alone"):
        fetch("cats", tmp_path / "out", None, (), Silent())


def test_a_move_that_was_interrupted_goes_on(
    tmp_path: Path, use, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(BODY)
    use(made("http://127.0.0.1:1/cats.zip"))
    rename = Path.rename

    def stopping(self: Path, target: Path) -> Path:
        if self.name == "note.txt":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", stopping)
        with pytest.raises(KeyboardInterrupt):
            fetch("cats", tmp_path / "out", None, [archive], Silent())
    assert (tmp_path / "out" / "cat").is_dir()
    assert not (tmp_path / "out" / "note.txt").exists()
    archive.unlink()
    fetched, new = fetch("cats", tmp_path / "out", None, (), Silent())
    assert new
    assert fetched.step == "done"
    assert len(held(tmp_path / "out")) == 300 + 3


def test_another_data_set_is_not_mixed_in(tmp_path: Path, use) -> None:
    archive = tmp_path / "cats.zip"
    archive.write_bytes(BODY)
    table = made("http://127.0.0.1:1/cats.zip")
    use(table | {"dogs": table["cats"]})
    fetch("cats", tmp_path / "out", None, [archive], Silent())
    with pytest.raises(UserError, match=r"holds cats \(classes: all\)"):
        fetch("dogs", tmp_path / "out", None, [archive], Silent())


def test_too_small_a_disk_is_refused_before_anything_comes(
    tmp_path: Path, use, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1_500_000

    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage)
    with server(Served(BODY)) as served:
        use(made(served.url))
        with pytest.raises(UserError, match="about 2 MB are needed and 2 MB are free"):
            fetch("cats", tmp_path / "out", None, (), Silent())
        assert served.asked == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "classes", "given", "message"),
    [
        ("tiny-imagnet", None, [], "Did you mean tiny-imagenet"),
        ("imagenette", "poster", [], "--classes poster: imagenette comes as all"),
        ("tiny-imagenet", None, ["none.zip"], "--from none.zip: there is no such file"),
        ("flickr8k", None, ["a.zip"], "give it 2 times, once for each of Flickr8k_Dataset.zip"),
    ],
)
def test_options_that_cannot_be_meant(
    tmp_path: Path, name: str, classes: str | None, given: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        fetch(name, tmp_path / "out", classes, [Path(each) for each in given], Silent())
    assert not (tmp_path / "out").exists()
