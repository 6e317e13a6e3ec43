"""CSV and Parquet manifests."""

import sys
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from mapcap.datasets import ClassLabel, scan
from mapcap.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with three files that pass for images."""
    for name in ("one.jpg", "two.jpg", "a, b.jpg"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"")
    return tmp_path


def write(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def test_paths_are_relative_to_the_manifest(folder: Path) -> None:
    absolute = folder / "photos" / "two.jpg"
    manifest = write(
        folder,
        'note,Path,class,x0,y0,x1,y1\r\nx,./photos/one.jpg,dog,1,2,3,4.5\r\n'
        f'y,{absolute},"cat, small",,,,\r\nz,"photos/a, b.jpg",dog,,,,\r\n\r\n',
    )  # fmt: skip
    dataset = scan(manifest)
    assert dataset.classes == (ClassLabel("cat, small", "cat, small"), ClassLabel("dog", "dog"))
    assert [(item.relative, item.class_index, item.box) for item in dataset.items] == [
        (str(absolute), 0, None),
        ("photos/a, b.jpg", 1, None),
        ("photos/one.jpg", 1, (1.0, 2.0, 3.0, 4.5)),
    ]
    assert all(Path(str(item.path)).is_file() for item in dataset.items)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_other_separators(folder: Path, separator: str) -> None:
    text = "class|path\ndog|photos/one.jpg\n".replace("|", separator)
    assert len(scan(write(folder, text)).items) == 1


def test_a_missing_file_is_listed_if_others_are_there(folder: Path) -> None:
    dataset = scan(write(folder, "path,class\nphotos/one.jpg,dog\nphotos/gone.jpg,dog\n"))
    assert [Path(str(item.path)).exists() for item in dataset.items] == [False, True]


def test_names_boxes_and_limit_apply(folder: Path) -> None:
    manifest = write(folder, "path,class\nphotos/one.jpg,n1\nphotos/two.jpg,n1\n")
    names = write(folder, "n1\ta dog\n", "names.tsv")
    boxes = write(folder, "one.jpg\t0\t0\t2\t2\n", "boxes.tsv")
    dataset = scan(manifest, names=names, boxes=boxes, limit_per_class=1)
    assert dataset.classes == (ClassLabel("n1", "a dog"),)
    assert [item.box for item in dataset.items] == [(0.0, 0.0, 2.0, 2.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no rows"),
        ("path,class\n", "has no rows"),
        ("a,b\nphotos/one.jpg,dog\n", "no column path, class; it has a, b"),
        ("path,class,x0,y0\nphotos/one.jpg,dog,1,2\n", "no column x1, y1"),
        ("path,class\nphotos/one.jpg,dog\n,dog\n", r"manifest\.csv, line 3"),
        ("path,class\nphotos/one.jpg,\n", "must not be empty"),
        ("path,class\nphotos/one.jpg,dog,cat\n", "3 cells under 2 columns"),
        ("path,class\nphotos/one.jpg,dog\n./photos/one.jpg,cat\n", "line 3: photos/one.jpg was"),
        ("path,class,x0,y0,x1,y1\nphotos/one.jpg,dog,1,2,3,\n", "line 2: expected a box"),
        ("path,class\nelsewhere/one.jpg,dog\n", "not one of its files is there"),
    ],
)
def test_manifests_that_cannot_be_used(folder: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        scan(write(folder, text))


def test_parquet(folder: Path) -> None:
    table = arrow.table(
        {
            "class": arrow.array([3, 3, 12]),
            "path": ["photos/one.jpg", "photos/two.jpg", "photos/a, b.jpg"],
            "x0": [1.5, None, 0.0], "y0": [2.0, None, 0.0],
            "x1": [3.0, None, 9.0], "y1": [4.0, None, 9.0],
            "other": [b"\xff", b"", None],
        }
    )  # fmt: skip
    parquet.write_table(table, folder / "m.parquet")
    dataset = scan(folder / "m.parquet")
    assert [found.label for found in dataset.classes] == ["3", "12"]
    assert [(item.relative, item.box) for item in dataset.items] == [
        ("photos/one.jpg", (1.5, 2.0, 3.0, 4.0)),
        ("photos/two.jpg", None),
        ("photos/a, b.jpg", (0.0, 0.0, 9.0, 9.0)),
    ]


def test_parquet_that_cannot_be_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "broken.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        scan(folder / "broken.parquet")
    parquet.write_table(arrow.table({"path": ["x"]}), folder / "m.parquet")
    with pytest.raises(UserError, match="no column class"):
        scan(folder / "m.parquet")
    parquet.write_table(arrow.table({"path": ["x"], "class": [None]}), folder / "m.parquet")
    with pytest.raises(UserError, match=r"m\.parquet, row 1"):
        scan(folder / "m.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="needs pyarrow"):
        scan(folder / "m.parquet")


@pytest.mark.parametrize("host", ["//", "//localhost", ""])
def test_urls_of_this_machine_are_paths(folder: Path, host: str) -> None:
    (folder / "my photos").mkdir()
    (folder / "my photos" / "a.jpg").write_bytes(b"")
    table = write(folder, f"path,class\nfile:{host}{folder}/my%20photos/a.jpg,cat\n")
    assert [item.relative for item in scan(table).items] == [f"{folder}/my photos/a.jpg"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("path,class\na.jpg,NA\nb.jpg,cat\n", "1 of class NA: if that stands for a class"),
        ('path,class,bbox\na.jpg,cat,"[1, 2]"\n', "column bbox is not read: a box stands in four"),
    ],
)
def test_what_may_be_meant_otherwise_is_said(folder: Path, text: str, note: str) -> None:
    (folder / "a.jpg").write_bytes(b"")
    assert [each for each in scan(write(folder, text)).notes if each.startswith(note)]


@pytest.mark.parametrize(
    "text", ["path class\na.jpg x\nb.jpg y\n", "path,class\r\na.jpg,x\r\nb.jpg,y\r\n\x1a"]
)
def test_blanks_between_and_an_end_of_dos(folder: Path, text: str) -> None:
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"")
    assert [item.relative for item in scan(write(folder, text)).items] == ["a.jpg", "b.jpg"]


def test_a_cell_without_end_is_told_from_an_open_quote(folder: Path) -> None:
    table = write(folder, "path,class\na.jpg," + "x" * (1 << 24) + "x\n")
    with pytest.raises(UserError, match="line 2: a cell is longer than"):
        scan(table)
