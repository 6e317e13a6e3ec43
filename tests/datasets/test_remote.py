"""Photos behind URLs: fsspec's memory, and a server on this machine."""

import os
import pickle
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import fsspec
import pytest

from db.records import StoredImage
from mapcap.datasets import Item, Url, read_image, scan
from mapcap.datasets.sample import sample_path
from mapcap.errors import UserError
from mapcap.indexing.changes import compare
from tests.serving import Server

needs_aiohttp = pytest.mark.skipif(find_spec("aiohttp") is None, reason="needs the extra remote")


@pytest.fixture
def picture() -> Path:
    return next((sample_path() / "bird").glob("*.webp"))


@pytest.fixture
def stored(picture: Path) -> Iterator[str]:
    system = fsspec.filesystem("memory")
    system.pipe("/bucket/bird.webp", picture.read_bytes())
    yield "memory://bucket/bird.webp"
    system.rm("/bucket", recursive=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    serving = Server(tmp_path)
    yield serving
    serving.stop()


def manifest(folder: Path, *urls: str) -> Path:
    path = folder / "m.csv"
    path.write_text("\n".join(["path,class", *(f'"{url}",bird' for url in urls)]))
    return path


def test_a_manifest_may_name_urls_beside_files(tmp_path: Path, stored: str, picture: Path) -> None:
    shutil.copy(picture, tmp_path / "here.webp")
    dataset = scan(manifest(tmp_path, stored, "here.webp"))
    assert [(item.path, item.relative) for item in dataset.items] == [
        (tmp_path / "here.webp", "here.webp"),
        (Url(stored), stored),
    ]
    here, there = (read_image(item.path) for item in dataset.items)
    assert (here.content_hash, here.file_size) == (there.content_hash, there.file_size)
    assert there.image is not None and there.modified is not None


def test_boxes_find_a_url_by_its_last_part(tmp_path: Path, stored: str) -> None:
    boxes = tmp_path / "boxes.tsv"
    boxes.write_text("bird.webp\t1\t2\t3\t4\n")
    (item,) = scan(manifest(tmp_path, stored), boxes=boxes).items
    assert item.box == (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host/a.jpg", "URLs start with one of http://, https://, s3://"),
        ("simplecache::s3://bucket/a.jpg", "URLs start with one of"),
        ("zip://a.jpg::https://host/a.zip", "URLs start with one of"),
        ("https://host/\x1b[31m.jpg", "has control characters"),
        ("https://host/\u202egpj.jpg", "has control characters"),
        ("https://me:secret@host/a.jpg", "a user's name or password"),
        ("https://[host/a.jpg", "is not a URL"),
    ],
)
def test_urls_that_are_not_to_be_opened(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        scan(manifest(tmp_path, url))
    text = str(refused.value)
    assert message in text and "m.csv, line 2" in text
    assert text.isprintable() and "secret" not in text


@pytest.mark.parametrize("path", ["file:///nowhere/a.jpg", "C://photos/a.jpg", "a/b://c.jpg"])
def test_what_only_looks_like_a_url_is_a_path(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="not one of its files is there"):
        scan(manifest(tmp_path, path))


def test_boxes_in_shares_need_the_size_of_a_photo(tmp_path: Path, stored: str) -> None:
    boxes = tmp_path / "boxes.tsv"
    boxes.write_text("bird.webp\t0\t0\t0.5\t0.25\n")
    (item,) = scan(manifest(tmp_path, stored), boxes=boxes).items
    loaded = read_image(item.path)
    assert loaded.width is not None and loaded.height is not None
    assert item.box == (0, 0, loaded.width / 2, loaded.height / 4)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(scheme: str) -> object:
        raise ImportError(scheme)

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(UserError, match=r"s3://b/a.jpg needs .*'mapcap\[remote\]'"):
        scan(manifest(tmp_path, "s3://b/a.jpg"))
    with pytest.raises(UserError, match=r"gs://b/a.jpg needs .*'gcsfs'"):
        scan(manifest(tmp_path, "gs://b/a.jpg"))


def written(item: Item) -> StoredImage:
    """What a run has of a photo that it has just read."""
    loaded = read_image(item.path)
    return StoredImage(
        1, item.relative, 1, loaded.content_hash, loaded.file_size, loaded.modified, None,
        None, True,
    )  # fmt: skip


def test_what_was_written_since_is_noticed(tmp_path: Path, stored: str, picture: Path) -> None:
    table = manifest(tmp_path, stored)
    (item,) = scan(table).items
    before = {stored: written(item)}
    assert compare(scan(table).items, before, [1]).none
    fsspec.filesystem("memory").pipe("/bucket/bird.webp", picture.read_bytes())
    assert len(compare(scan(table).items, before, [1]).changed) == 1
    assert pickle.loads(pickle.dumps(item)) == item  # an actor is sent it


@needs_aiohttp
def test_a_real_server(tmp_path: Path, server: Server, picture: Path) -> None:
    copy = tmp_path / "bird one.webp"
    shutil.copy(picture, copy)
    url = f"{server.address}/bird%20one.webp"
    table = manifest(tmp_path, url)
    (item,) = scan(table).items
    loaded, local = read_image(item.path), read_image(copy)
    assert loaded.image is not None and loaded.content_hash == local.content_hash
    before = {url: written(item)}
    assert compare(scan(table).items, before, [1]).none
    os.utime(copy, (1, 1))  # the server says when
    assert len(compare(scan(table).items, before, [1]).changed) == 1


@needs_aiohttp
def test_a_file_that_is_gone_is_not_a_server_that_is_gone(tmp_path: Path, server: Server) -> None:
    url = Url(f"{server.address}/none.webp")
    loaded = read_image(url)
    assert (loaded.content_hash, loaded.file_size) == (None, None)
    assert loaded.error == "cannot be read: no such file"
    assert url.answers()
    server.stop()
    away = read_image(url)
    assert away.error is not None and "Connect" in away.error
    assert not url.answers()
    server.start()


@needs_aiohttp
def test_no_more_is_taken_than_may_be(tmp_path: Path, server: Server) -> None:
    (tmp_path / "large").write_bytes(bytes(5_000_000))
    read = Url(f"{server.address}/large").read_bytes(most=2_000_000)
    assert 2_000_000 < len(read) < 4_000_000
