"""Downloads from a real server on the loopback, which breaks them."""

from pathlib import Path

import pytest

from mapcap.datasets.published.download import download
from mapcap.errors import UserError
from tests.datasets.published.serving import JPEG, Served, server, zipped

BODY = zipped({f"cat/{number}.jpg": JPEG + bytes(range(256)) * 40 for number in range(200)})


class Heard:
    def __init__(self) -> None:
        self.begun: list[tuple[int, int | None]] = []
        self.count = 0
        self.breaks: list[str] = []
        self.waits: list[float] = []

    def begin(self, done: int, total: int | None) -> None:
        self.begun.append((done, total))
        self.count = done

    def advance(self, count: int) -> None:
        self.count += count

    def broke(self, reason: str, seconds: float) -> None:
        self.breaks.append(reason)


def fetched(served: Served, folder: Path, heard: Heard | None = None) -> bytes:
    heard = heard or Heard()
    download(served.url, folder / "a.zip", heard, sleep=heard.waits.append)
    assert [path.name for path in folder.iterdir()] == ["a.zip"]
    return (folder / "a.zip").read_bytes()


def test_a_whole_download(tmp_path: Path) -> None:
    heard = Heard()
    with server(Served(BODY)) as served:
        assert fetched(served, tmp_path, heard) == BODY
    assert heard.begun == [(0, len(BODY))]
    assert heard.count == len(BODY)
    assert served.asked == [None]


@pytest.mark.parametrize("etag", ['"1"', None, 'W/"1"'])
def test_a_dropped_connection_goes_on_where_it_broke(tmp_path: Path, etag: str | None) -> None:
    heard = Heard()
    with server(Served(BODY, drops=[1000, 2000], etag=etag)) as served:
        assert fetched(served, tmp_path, heard) == BODY
    assert served.asked == [None, "bytes=1000-", "bytes=3000-"]
    assert [done for done, _ in heard.begun] == [0, 1000, 3000]
    assert heard.count == len(BODY)
    assert heard.breaks[0] == f"the connection ended after 1,000 of {len(BODY):,} bytes"
    assert heard.waits == [1.0, 1.0]  # each try brought something


def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    heard = Heard()
    with server(Served(BODY, drops=[1000], ranges=False)) as served:
        assert fetched(served, tmp_path, heard) == BODY
    assert [done for done, _ in heard.begun] == [0, 0]
    assert heard.count == len(BODY)


@pytest.mark.parametrize("etag", ['"1"', None])
def test_a_file_that_changed_meanwhile_begins_anew(tmp_path: Path, etag: str | None) -> None:
    other = zipped({"dog/1.jpg": JPEG * 3000, "dog/2.jpg": bytes(range(256)) * 99})
    with server(Served(BODY, drops=[1000] * 5, status=[], etag=etag)) as served:
        with pytest.raises(UserError):
            download(served.url, tmp_path / "a.zip", Heard(), patience=(), sleep=lambda _: None)
        served.body, served.etag, served.drops = other, etag and '"2"', []
        assert fetched(served, tmp_path) == other


def test_a_file_that_became_shorter_begins_anew(tmp_path: Path) -> None:
    with server(Served(BODY, drops=[2000])) as served:
        with pytest.raises(UserError):
            download(served.url, tmp_path / "a.zip", Heard(), patience=())
        served.body = BODY[:1500]
        assert fetched(served, tmp_path) == BODY[:1500]
    assert served.asked == [None, "bytes=2000-", None]


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream"])
def test_a_web_page_is_not_kept(tmp_path: Path, kind: str) -> None:
    page = b"<!DOCTYPE html><title>Log in</title>"
    with (
        server(Served(page, kind=kind)) as served,
        pytest.raises(UserError, match=r"sent a web page.*not an archive.*--from FILE"),
    ):
        fetched(served, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_leaves_the_beginning(tmp_path: Path) -> None:
    with server(Served(BODY, drops=[1000])) as served:
        with pytest.raises(UserError, match="the same command goes on"):
            download(served.url, tmp_path / "a.zip", Heard(), patience=())
        served.body, served.kind, served.ranges = b"<html>", "text/html", False
        with pytest.raises(UserError, match="web page"):
            fetched(served, tmp_path)
        assert (tmp_path / "a.zip.part").read_bytes() == BODY[:1000]
        served.body, served.kind, served.ranges = BODY, "application/zip", True
        assert fetched(served, tmp_path) == BODY
    assert served.asked[-1] == "bytes=1000-"


def test_a_server_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    heard = Heard()
    with server(Served(BODY, status=[503, 429])) as served:
        assert fetched(served, tmp_path, heard) == BODY
    assert heard.waits == [1.0, 2.0]
    assert "503" in heard.breaks[0]


def test_a_missing_file_is_not_asked_for_again(tmp_path: Path) -> None:
    with (
        server(Served(BODY, status=[404])) as served,
        pytest.raises(UserError, match=r"404 Not Found.*--from FILE"),
    ):
        fetched(served, tmp_path)
    assert len(served.asked) == 1


def test_no_server_is_given_up_on(tmp_path: Path) -> None:
    with server(Served(BODY)) as served:
        pass
    heard = Heard()
    with pytest.raises(UserError, match="no answer"):
        fetched(served, tmp_path, heard)
    assert heard.waits == [1.0, 2.0, 4.0, 8.0]


def test_a_size_that_is_not_told(tmp_path: Path) -> None:
    with server(Served(BODY, sized=False)) as served:
        assert fetched(served, tmp_path) == BODY
