"""Boxes: what their numbers mean, told by columns, values or a person."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mapcap.datasets import scan
from mapcap.errors import UserError

Boxes = dict[str, tuple[float, ...] | None]


def boxes_of(tmp_path: Path, text: str, **options: Any) -> tuple[Boxes, tuple[str, ...]]:
    for name in "abc":
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 100)).save(tmp_path / "data" / name / "1.png")
    table = tmp_path / "boxes.csv"
    table.write_text(text)
    dataset = scan(tmp_path / "data", boxes=table, **options)
    return {item.relative[0]: item.box for item in dataset.items}, dataset.notes


@pytest.mark.parametrize(
    ("header", "numbers", "expected"),
    [
        ("path,x0,y0,x1,y1", "10,20,30,40", (10, 20, 30, 40)),
        ("File,XMin,XMax,YMin,YMax", "10,30,20,40", (10, 20, 30, 40)),
        ("filename,x1,y1,x2,y2", "10,20,30,40", (10, 20, 30, 40)),
        ("image,left,top,width,height", "10,20,30,40", (10, 20, 40, 60)),
        ("path,x,y,w,h", "10,20,30,40", (10, 20, 40, 60)),
        ("path,cx,cy,w,h", "30,40,20,10", (20, 35, 40, 45)),
    ],
)
def test_columns_tell(tmp_path: Path, header: str, numbers: str, expected: object) -> None:
    found, _ = boxes_of(tmp_path, f"{header}\na/1.png,{numbers}\n")
    assert found == {"a": expected, "b": None, "c": None}


def test_numbers_tell_sizes_and_say_so(tmp_path: Path) -> None:
    found, notes = boxes_of(tmp_path, "a/1.png,50,20,30,40\nb/1.png,1,2,30,40\n")
    assert (found["a"], found["b"]) == ((50, 20, 80, 60), (1, 2, 31, 42))
    assert any("a corner, width and height" in note for note in notes)
    rows = "".join(f"n{i}.png,1,2,30,40\n" for i in range(30))
    with pytest.raises(UserError, match=r"line 1: a box that ends before.*--box-format"):
        boxes_of(tmp_path, f"a/1.png,50,20,30,40\n{rows}")
    found, notes = boxes_of(tmp_path, f"a/1.png,50,20,30,40\n{rows}", box_format="xyxy")
    assert found["a"] is None
    assert any("1 box end before they begin" in note for note in notes)


def test_shares_become_pixels(tmp_path: Path) -> None:
    found, notes = boxes_of(tmp_path, "a/1.png,0.25,0.5,0.75,1\n")
    assert found["a"] == (50, 50, 150, 100)
    assert any("shares of the photo's sides" in note for note in notes)
    found, _ = boxes_of(tmp_path, "a/1.png,0.25,0.5,0.75,1\n", box_units="pixels")
    assert found["a"] == (0.25, 0.5, 0.75, 1)
    with pytest.raises(UserError, match=r"a single pixel.*--box-units"):
        boxes_of(tmp_path, "a/1.png,0,0,1,1\n")
    found, _ = boxes_of(tmp_path, "a/1.png,0,0,1,1\n", box_units="shares")
    assert found["a"] == (0, 0, 200, 100)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("1,2,3,x", r"boxes\.csv, line 2: expected a box of four numbers, not .*'x'"),
        ("1,2,3,nan", "line 2: expected a box"),
        ("1,2,3,1e999", "line 2: expected a box"),
        ("1,2,3,1_0", "line 2: expected a box"),
        ('1,2,3,"1,234"', "1,234 may be 1234 or 1.234"),
        ("1,2,3", "line 2: 4 cells under 5 columns"),
    ],
)
def test_what_is_no_box_is_named(tmp_path: Path, cells: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        boxes_of(tmp_path, f"path,x0,y0,x1,y1\na/1.png,{cells}\n")


def test_words_of_the_options_are_checked(tmp_path: Path) -> None:
    for option, value in (("box_format", "yxyx"), ("box_units", "inches")):
        with pytest.raises(UserError, match=f"--{option.replace('_', '-')}"):
            boxes_of(tmp_path, "a/1.png,1,2,3,4\n", **{option: value})
