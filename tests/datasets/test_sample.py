"""The built-in sample as it is shipped, and copying it out."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapcap.datasets import scan
from mapcap.datasets.sample import copy_sample, sample_path
from mapcap.errors import UserError

SIZE = 160
CLASSES = {
    *("bird", "car", "cat", "cow", "flower"),
    *("fruit", "planet", "teapot", "tool", "vegetable"),
}


def table(name: str) -> list[dict[str, str]]:
    with (sample_path() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def pictures() -> list[str]:
    root = sample_path()
    return sorted(path.relative_to(root).as_posix() for path in root.glob("*/*"))


def test_ten_classes_of_twelve_pictures() -> None:
    counts: dict[str, int] = {}
    for name in pictures():
        counts[name.split("/")[0]] = counts.get(name.split("/")[0], 0) + 1
    assert counts == dict.fromkeys(CLASSES, 12)


def test_the_whole_sample_is_under_two_megabytes() -> None:
    assert sum(p.stat().st_size for p in sample_path().rglob("*") if p.is_file()) < 2_000_000


def test_every_picture_opens_at_its_size_and_is_no_plain_studio_shot() -> None:
    for name in pictures():
        with Image.open(sample_path() / name) as file:
            pixels = np.asarray(file.convert("RGB"), dtype=float)
        assert pixels.shape == (SIZE, SIZE, 3), name
        assert 25 < pixels.mean() < 230, name
        assert pixels.std() > 12, name


def test_no_two_pictures_are_the_same() -> None:
    contents = [(sample_path() / name).read_bytes() for name in pictures()]
    assert len(set(contents)) == len(contents)


def test_tables_name_every_picture_once() -> None:
    assert sorted(row["file"] for row in table("boxes.tsv")) == pictures()
    assert sorted(row["file"] for row in table("sources.tsv")) == pictures()
    header = (sample_path() / "boxes.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "file\tx0\ty0\tx1\ty1"


def test_boxes_lie_inside_and_show_the_object_at_a_fair_size() -> None:
    for row in table("boxes.tsv"):
        x0, y0, x1, y1 = (int(row[side]) for side in ("x0", "y0", "x1", "y1"))
        assert 0 <= x0 < x1 <= SIZE, row
        assert 0 <= y0 < y1 <= SIZE, row
        assert 0.5 <= max(x1 - x0, y1 - y0) / SIZE <= 0.96, row


def test_objects_are_not_all_in_the_middle() -> None:
    boxes = [[int(row[side]) for side in ("x0", "y0", "x1", "y1")] for row in table("boxes.tsv")]
    # Of the room beside the object, the share on its left, and above it: 0.5 were the middle.
    left, above = ([b[i] / (SIZE - b[i + 2] + b[i]) for b in boxes] for i in (0, 1))
    assert np.std(left) > 0.2
    assert np.std(above) > 0.15


def test_notices_are_beside_the_pictures() -> None:
    licence = (sample_path() / "LICENSE.GPL-2").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in licence
    assert "Version 2, June 1991" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    notice = (sample_path() / "NOTICE.md").read_text(encoding="utf-8")
    for words in (
        "tuxpaint-stamps-default",
        "2022.06.04-1",
        "Bill Kendrick",
        "aggregated",
        "Apache",
    ):
        assert words in notice


@pytest.mark.parametrize("made", [False, True], ids=["new folder", "empty folder"])
def test_copy_brings_pictures_boxes_and_notices(tmp_path: Path, made: bool) -> None:
    out = tmp_path / "deep" / "sample"
    if made:
        out.mkdir(parents=True)
    assert copy_sample(out) == 120
    for name in [*pictures(), "boxes.tsv", "sources.tsv", "NOTICE.md", "LICENSE.GPL-2"]:
        assert (out / name).read_bytes() == (sample_path() / name).read_bytes()


def test_copy_refuses_a_folder_with_files_and_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="empty"):
        copy_sample(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_copy_refuses_a_file_and_a_path_below_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="--out"):
        copy_sample(file)
    with pytest.raises(UserError, match="--out"):
        copy_sample(file / "sample")
    assert file.read_text(encoding="utf-8") == "mine"


def test_the_sample() -> None:
    dataset = scan("sample")
    assert len(dataset.classes) >= 5
    assert dataset.skipped == 0
    for item in dataset.items:
        assert item.box is not None
        with Image.open(str(item.path)) as image:
            assert item.box[2] <= image.width
            assert item.box[3] <= image.height
