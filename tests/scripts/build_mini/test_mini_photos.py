import io
import tarfile
from pathlib import Path

import pytest

from scripts.build_mini.classes import PhotoClass
from scripts.build_mini.people import ARCHIVE, FOLDER
from scripts.build_mini.photos import ARCHIVES, mission_names, read_boxes, training_photos, unpack


def write_tar(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))


def write_archives(data: Path) -> None:
    write_tar(data / ARCHIVES[0], ["mission25/lion/a.JPEG", "mission25_boxes.tsv"])
    for part, name in enumerate(ARCHIVES[1:]):
        names = [f"{n}/{n}_{part}{i:02}.JPEG" for n in ("n1", "n2") for i in range(6)]
        write_tar(data / name, names)
    write_tar(data / ARCHIVE, ["./a.jpg", "./b.jpg"])


def test_boxes_end_behind_their_last_pixel(tmp_path: Path) -> None:
    path = tmp_path / "boxes.tsv"
    path.write_text("file\tx0\ty0\tx1\ty1\na.JPEG\t0\t10\t63\t58\n")
    assert read_boxes(path) == {"a.JPEG": (0, 10, 64, 59)}


def test_unpacking_and_listing(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_archives(tmp_path)
    unpack(tmp_path, photos)
    assert mission_names(photos) == ["lion"]
    classes = [PhotoClass("n2", "dog", ("dog",)), PhotoClass("n1", "cat", ("cat",))]
    paths, labels = training_photos(photos, classes)
    assert [path.name for path in paths] == [  # the last 20 of 24 are kept out
        f"{n}_0{i:02}.JPEG" for i in range(4) for n in ("n2", "n1")
    ]
    assert labels == [0, 1] * 4
    assert {path.name for path in (photos / FOLDER).iterdir()} == {"a.jpg", "b.jpg"}


def test_what_is_unpacked_is_left_alone(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_archives(tmp_path)
    unpack(tmp_path, photos)
    changed = photos / "n1" / "n1_000.JPEG"
    changed.write_text("mine")
    unpack(tmp_path, photos)
    assert changed.read_text() == "mine"
    (photos / "n2" / "n2_005.JPEG").unlink()  # the last of its archive, as after an interruption
    unpack(tmp_path, photos)
    assert changed.read_text() == "n1/n1_000.JPEG"


def test_an_archive_that_reaches_outside(tmp_path: Path) -> None:
    write_archives(tmp_path)
    write_tar(tmp_path / ARCHIVES[1], ["../evil"])
    with pytest.raises(tarfile.FilterError):
        unpack(tmp_path, tmp_path / "photos")
    assert not (tmp_path / "evil").exists()
