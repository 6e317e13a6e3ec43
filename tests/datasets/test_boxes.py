"""A table of boxes, and whose they are."""

import tarfile
from pathlib import Path

import pytest

from mapcap.datasets import scan
from mapcap.errors import UserError
from tests.datasets.laid import make

MISSION = Path(__file__).parents[3] / "shared" / "data" / "mission25.tar"


def boxes_of(tmp_path: Path, root: Path, text: str) -> dict[str, tuple[float, ...] | None]:
    (tmp_path / "boxes.tsv").write_text(text)
    return {item.relative: item.box for item in scan(root, boxes=tmp_path / "boxes.tsv").items}


def test_boxes_by_path_then_by_name(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "a/1.jpg", "a/sub/2.jpg", "b/1.jpg", "b/3.jpg", "b/4.jpg")
    found = boxes_of(
        tmp_path, root,
        "file\tx0\ty0\tx1\ty1\n./a/1.jpg\t1\t2\t3\t4\na/2.jpg\t-1\t0\t5.5\t6\t\n"
        "1.jpg\t7\t7\t9\t9\n3.jpg\t5\t5\t5\t9\nunknown.jpg\t0\t0\t1\t1\n",
    )  # fmt: skip
    assert found == {
        "a/1.jpg": (1.0, 2.0, 3.0, 4.0),  # its own path goes before its bare name
        "a/sub/2.jpg": (0.0, 0.0, 5.5, 6.0),  # label/name, clamped to the image
        "b/1.jpg": (7.0, 7.0, 9.0, 9.0),
        "b/3.jpg": None,  # an empty box is none
        "b/4.jpg": None,
    }


def test_a_path_is_its_own_image_first(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "a/1.jpg", "a/sub/1.jpg", "a/sub/2.jpg", "a/other/2.jpg")
    found = boxes_of(tmp_path, root, "a/1.jpg\t0\t0\t5\t5\n")
    assert [path for path, box in found.items() if box] == ["a/1.jpg"]
    with pytest.raises(UserError, match=r"a/2\.jpg may be a/other/2\.jpg or a/sub/2\.jpg"):
        boxes_of(tmp_path, root, "a/2.jpg\t0\t0\t5\t5\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.jpg\t0\t0\t5\t5\n", r"1\.jpg may be a/1\.jpg or b/1\.jpg"),
        ("zzz.jpg\t0\t0\t5\t5\n", r"no box for any image.*a/1\.jpg"),
        ("file\tx0\ty0\tx1\ty1\na/1.jpg\t0\t0\tfive\t5\n", r"line 2: expected a box"),
        ("a/1.jpg\t0\t0\tinf\t5\n", r"line 1: expected a box"),
        ("a/1.jpg\t0\t0\n", r"line 1: expected file"),
        ("a/1.jpg\t0\t0\t5\t5\na/1.jpg\t0\t0\t5\t5\n", r"line 2: a second box"),
        ("", "no box for any image"),
    ],
)
def test_boxes_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    root = make(tmp_path / "data", "a/1.jpg", "b/1.jpg")
    with pytest.raises(UserError, match=message):
        boxes_of(tmp_path, root, text)


@pytest.mark.skipif(not MISSION.exists(), reason="the shared photos are not here")
def test_the_posters_classes(tmp_path: Path) -> None:
    with tarfile.open(MISSION) as archive:
        archive.extractall(tmp_path, filter="data")
    root, boxes = tmp_path / "mission25", tmp_path / "mission25_boxes.tsv"
    dataset = scan(root, boxes=boxes)
    assert len(dataset.classes) == 25
    assert len(dataset.items) == 2500
    assert dataset.skipped == 0
    assert sum(item.box is None for item in dataset.items) == 8  # empty in the source
    by_path = {item.relative: item for item in dataset.items}
    apron = by_path["apron/n02730930_400.JPEG"]
    assert dataset.classes[apron.class_index].name == "apron"
    assert apron.box == (5.0, 0.0, 61.0, 53.0)
    limited = scan(root, boxes=boxes, limit_per_class=3)
    assert len(limited.items) == 75
