"""What the published data sets become."""

import json
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from mapcap.datasets import scan
from mapcap.datasets.published import CATALOGUE, fetch
from mapcap.datasets.published.record import WORK
from mapcap.errors import UserError
from tests.datasets.published.made import Silent
from tests.datasets.published.serving import JPEG, held, tarred, zipped

MISSION = Path(__file__).parents[4] / "shared" / "data" / "mission25.tar"


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
