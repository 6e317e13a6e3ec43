"""Archives that anybody may have made."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from random import Random

import pytest

from mapcap.datasets.published.unpacking import unpack
from mapcap.errors import UserError
from tests.datasets.published.serving import JPEG, held, tarred, zipped

FILES = {"cat/1.jpg": JPEG, "cat/café 2.jpg": JPEG * 100_000, "dog/3.jpg": b""}


def kept(member: PurePosixPath) -> PurePosixPath:
    return member


def unpacked(
    tmp_path: Path, content: bytes, most_bytes: int = 1 << 30, most_files: int = 100
) -> dict[str, bytes]:
    archive, folder = tmp_path / "archive", tmp_path / "in" / "folder"
    archive.write_bytes(content)
    folder.mkdir(parents=True)
    try:
        unpack(archive, folder, kept, most_bytes=most_bytes, most_files=most_files)
    finally:
        outside = set(held(tmp_path)) - {"archive", *(f"in/folder/{n}" for n in held(folder))}
        assert not outside
    return held(folder)


@pytest.mark.parametrize(
    "content",
    [zipped(FILES), *(tarred(FILES, mode=mode) for mode in ("w", "w:gz", "w:xz", "w:bz2"))],
    # Archives hold the time: two workers would not find the same tests.
    ids=["zip", "tar", "gz", "xz", "bz2"],
)
def test_all_kinds_of_archives(tmp_path: Path, content: bytes) -> None:
    assert unpacked(tmp_path, content) == FILES


def test_what_has_no_place_is_left_out(tmp_path: Path) -> None:
    archive, positions = tmp_path / "a.zip", list[int]()
    archive.write_bytes(zipped(FILES))
    count = unpack(
        archive,
        tmp_path / "out",
        lambda member: PurePosixPath("hund.jpg") if member.parts[0] == "dog" else None,
        positions.append,
    )
    assert count == 1
    assert held(tmp_path / "out") == {"hund.jpg": b""}
    assert len(positions) == 3


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jpg",
        "cat/../../evil.jpg",
        "/tmp/evil.jpg",
        "C:/evil.jpg",
        "cat\\..\\evil.jpg",
        "cat/\x1b[2Jevil.jpg",
        "cat/evil.jpg ",
        f"{'a' * 300}.jpg",
    ],
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_lead_elsewhere(tmp_path: Path, make, name: str) -> None:
    with pytest.raises(UserError, match="refused: the name") as raised:
        unpacked(tmp_path, make({"cat/1.jpg": JPEG, name: b"evil"}))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_of_a_tar(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("cat/link.jpg")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(UserError, match="link or a device"):
        unpacked(tmp_path, tarred({"cat/1.jpg": JPEG}, entry))


def test_links_of_a_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("cat/link.jpg")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UserError, match="link or a device"):
        unpacked(tmp_path, buffer.getvalue())


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="comes twice"):
        unpacked(tmp_path, tarred({"cat/1.jpg": JPEG, "./cat/1.jpg": b"other"}))


@pytest.mark.parametrize("make", [zipped, tarred])
def test_bombs(tmp_path: Path, make) -> None:
    with pytest.raises(UserError, match="holds more than"):
        unpacked(tmp_path, make({f"{n}.jpg": bytes(400_000) for n in range(4)}), most_bytes=1 << 20)


def test_too_many_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="more than 3 files"):
        unpacked(tmp_path, zipped({f"{n}.jpg": b"" for n in range(4)}), most_files=3)


def test_a_size_that_lies(tmp_path: Path) -> None:
    content = zipped({"cat/1.jpg": bytes(10_000)})
    directory = content.rindex(b"PK\x01\x02") + 24
    short = content[:directory] + (5).to_bytes(4, "little") + content[directory + 4 :]
    with pytest.raises(UserError, match="damaged"):
        unpacked(tmp_path, short)


@pytest.mark.parametrize(
    "content",
    [
        zipped(FILES)[:-40],
        tarred({"cat/1.jpg": Random(0).randbytes(9_000)})[:5_000],
        b"",
        b"not an archive" * 99,
    ],
    ids=["zip", "tar", "empty", "text"],
)
def test_damaged_archives(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match="damaged"):
        unpacked(tmp_path, content)
