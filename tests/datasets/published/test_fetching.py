"""`mapcap fetch`, whole: a server on the loopback or archives given, and the folder that comes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable
from functools import partial
from hashlib import md5, sha256
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from mapcap.datasets import scan
from mapcap.datasets.published import CATALOGUE, Archive, Part, Published, catalogue, fetch
from mapcap.datasets.published.record import WORK
from mapcap.errors import UserError
from tests.calling import Result
from tests.datasets.published.serving import JPEG, Served, held, server, tarred, zipped

MISSION = Path(__file__).parents[4] / "shared" / "data" / "mission25.tar"
BODY = zipped({f"top/cat/{n}.jpg": JPEG + bytes(range(256)) * 50 for n in range(300)})


class Silent:
    """Hears of a fetch and does nothing; `lines` are the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def downloading(self, url: str, megabytes: float) -> None: ...
    def unpacking(self, file: Path, size: int) -> None: ...
    def begin(self, done: int, total: int | None) -> None: ...
    def advance(self, count: int) -> None: ...
    def broke(self, reason: str, seconds: float) -> None: ...
    def note(self, line: str) -> None:
        self.lines.append(line)


def below_top(member: PurePosixPath) -> PurePosixPath | None:
    return PurePosixPath(*member.parts[1:])


def made(url: str, images: int | None = 300, checksum: str | None = None) -> dict[str, Published]:
    """Return a catalogue of one data set."""
    parts = {"all": Part(below_top, 1, images, {"note.txt": "made\n"})}
    return {"cats": Published((Archive(url, 1, checksum),), parts, "anybody's", photos="")}


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


PROGRAM = """
import sys
from pathlib import PurePosixPath
from mapcap.datasets.published import Archive, Part, Published, catalogue
from mapcap.commands import fetch
from mapcap.cli import main
table = {"cats": Published((Archive(sys.argv.pop(1), 1),),
    {"all": Part(lambda member: PurePosixPath(*member.parts[1:]), 1, 300)}, "anybody's")}
catalogue.CATALOGUE = fetch.CATALOGUE = table
main()
"""


def started(url: str, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command with a catalogue of its own, its downloads from the loopback."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), url, "fetch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
        **options,
    )


def finished(process: subprocess.Popen[str]) -> Result:
    with process:
        out, err = process.communicate(timeout=60)
    return Result(process.returncode, out, err)


def test_ctrl_c_then_the_same_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with server(Served(BODY, drops=[5000, 0, 0, 0, 0, 0])) as served:
        # A shell's background jobs ignore Ctrl-C, and so would what this test starts there.
        heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with started(served.url, "cats", "--out", out, preexec_fn=heeding) as process:
            assert process.stderr is not None
            # It waits for its second try when it says so.
            assert any("again in" in line for line in process.stderr)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
        assert process.returncode == 130
        assert said == "stopped; the same command goes on from there\n"
        served.drops, served.asked = [], []
        result = finished(started(served.url, "cats", "--out", out, "--json"))
        assert result.code == 0, result.err
        assert served.asked == ["bytes=5000-"]
        assert result.json()["images"] == 300
        again = finished(started(served.url, "cats", "--out", out))
        assert (
            again.out == f"300 images are in {out} already. Next: mapcap index {out} --db out.db\n"
        )


def test_a_full_disk(tmp_path: Path) -> None:
    import resource

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, resource.RLIM_INFINITY))

    out = tmp_path / "out"
    with server(Served(BODY)) as served:
        result = finished(started(served.url, "cats", "--out", out, preexec_fn=small))
        assert result.code == 2
        assert "the disk is full" in result.err
        assert "Traceback" not in result.err
        assert finished(started(served.url, "cats", "--out", out)).code == 0
    assert len(held(out)) == 300 + 2


def tiny_imagenet() -> dict[str, bytes]:
    """Return the files of a TinyImageNet with the poster's classes and one that it leaves out."""
    top, files = "tiny-imagenet-200", dict[str, bytes]()
    poster = CATALOGUE["tiny-imagenet"].parts["poster"].texts["words.txt"].split("\n")[:-1]
    for wnid in [line.split("\t")[0] for line in poster] + ["n01443537"]:
        names = [f"{wnid}_{number}.JPEG" for number in range(395, 505)]
        files |= {f"{top}/train/{wnid}/images/{name}": JPEG for name in names}
        boxes = "".join(f"{name}\t1\t2\t30\t40\n" for name in names)
        files[f"{top}/train/{wnid}/{wnid}_boxes.txt"] = boxes.encode()
    files[f"{top}/test/images/test_0.JPEG"] = JPEG
    files[f"{top}/words.txt"] = b"n02123045\ttabby, tabby cat\n"
    return files


def test_the_posters_partition(tmp_path: Path) -> None:
    archive = tmp_path / "tiny-imagenet-200.zip"
    archive.write_bytes(zipped(tiny_imagenet()))
    fetched, _ = fetch("tiny-imagenet", tmp_path / "out", "poster", [archive], Silent())
    assert (fetched.images, fetched.classes) == (2_500, "poster")
    dataset = scan(tmp_path / "out")
    assert len(dataset.classes) == 25
    assert {each.name for each in dataset.classes} >= {"tabby", "potter's wheel", "pay-phone"}
    assert len(dataset.items) == 2_500
    assert all(item.box == (1, 2, 30, 40) for item in dataset.items)


def test_tiny_imagenet_has_all_its_photos(tmp_path: Path) -> None:
    archive = tmp_path / "tiny-imagenet-200.zip"
    archive.write_bytes(zipped(tiny_imagenet()))
    with pytest.raises(UserError, match="2,860 of the data set's photos are in it, where 110,000"):
        fetch("tiny-imagenet", tmp_path / "out", None, [archive], Silent())


@pytest.mark.skipif(not MISSION.is_file(), reason="no TinyImageNet on this machine")
def test_the_posters_photos_are_those_of_its_archive() -> None:
    part = CATALOGUE["tiny-imagenet"].parts["poster"]
    names = dict(line.split("\t") for line in part.texts["words.txt"].splitlines())
    with tarfile.open(MISSION) as archive:
        photos = [Path(name) for name in archive.getnames() if name.endswith(".JPEG")]
    wnids = [photo.name.partition("_")[0] for photo in photos]
    assert {(names[w], p.parent.name) for w, p in zip(wnids, photos, strict=True)} == {
        (name, name) for name in names.values()
    }
    paths = [
        PurePosixPath("t/train", wnid, "images", photo.name)
        for wnid, photo in zip(wnids, photos, strict=True)
    ]
    assert all(part.place(path) for path in paths)
    assert len(set(paths)) == part.images


def test_imagenette_gets_class_names(tmp_path: Path) -> None:
    archive = tmp_path / "imagenette2-160.tgz"
    files = {
        f"imagenette2-160/{split}/{wnid}/{wnid}_{n}.JPEG": JPEG
        for split in ("train", "val")
        for wnid in ("n01440764", "n03888257")
        for n in range(3)
    }
    archive.write_bytes(tarred(files | {"imagenette2-160/noisy_imagenette.csv": b"path"}))
    fetched, _ = fetch("imagenette", tmp_path / "out", None, [archive], Silent())
    assert fetched.images == 12
    dataset = scan(tmp_path / "out" / CATALOGUE["imagenette"].photos)
    assert [each.name for each in dataset.classes] == ["parachute", "tench"]


def test_flickr8k_has_two_archives(tmp_path: Path) -> None:
    photos, texts = tmp_path / "photos.zip", tmp_path / "texts.zip"
    junk = {"__MACOSX/Flicker8k_Dataset/._1.jpg": b"junk", "Flicker8k_Dataset/._2.jpg": b"junk"}
    photos.write_bytes(zipped({"Flicker8k_Dataset/1.jpg": JPEG} | junk))
    texts.write_bytes(zipped({"Flickr8k.token.txt": b"1.jpg#0\tA dog .", "__MACOSX/._x": b"junk"}))
    fetched, _ = fetch("flickr8k", tmp_path / "out", None, [photos, texts], Silent())
    assert fetched.images == 1
    kept = {name for name in held(tmp_path / "out") if not name.startswith(WORK)}
    assert kept == {"photos/1.jpg", "texts/Flickr8k.token.txt"}
    assert len(scan(tmp_path / "out").items) == 1
    record = json.loads((tmp_path / "out" / WORK / "record.json").read_text())
    assert [source["bytes"] for source in record["sources"]] == [
        photos.stat().st_size,
        texts.stat().st_size,
    ]
