"""Class folders: order, limits, links, hostile names, and what is no data set."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.datasets import ClassLabel, scan
from mapcap.datasets.records import distinct, natural
from mapcap.errors import UserError
from tests.datasets.laid import labels, make, relatives


def test_classes_and_paths_in_natural_order(tmp_path: Path) -> None:
    root = make(tmp_path, "c10/a.jpg", "c2/img_10.png", "c2/img_2.JPG", "c2/sub/x.webp", "B/y.jpeg")
    dataset = scan(root)
    assert dataset.classes == (
        ClassLabel("B", "B"), ClassLabel("c2", "c2"), ClassLabel("c10", "c10"),
    )  # fmt: skip
    assert relatives(dataset) == [
        "B/y.jpeg", "c2/img_2.JPG", "c2/img_10.png", "c2/sub/x.webp", "c10/a.jpg",
    ]  # fmt: skip
    assert [item.class_index for item in dataset.items] == [0, 1, 1, 1, 2]
    assert all(item.path == root / item.relative for item in dataset.items)
    assert all(item.box is None for item in dataset.items)
    assert dataset.skipped == 0


def test_other_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    root = make(
        tmp_path, "cat/1.jpg", "cat/notes.txt", "cat/.hidden.jpg", "cat/.git/2.jpg", "loose.png",
        "README.md", ".cache/3.jpg", "nothing/of.txt",
    )  # fmt: skip
    dataset = scan(root)
    assert relatives(dataset) == ["cat/1.jpg"]
    # notes, .hidden, .git, loose, .cache and of.txt; not the README.
    assert dataset.skipped == 6
    assert dataset.empty == ("nothing",)


def test_the_limit_takes_the_first_of_each_class(tmp_path: Path) -> None:
    root = make(tmp_path, *(f"{c}/{i}.jpg" for c in "ab" for i in range(12)), "c/0.jpg")
    few = scan(root, limit_per_class=2)
    assert relatives(few) == ["a/0.jpg", "a/1.jpg", "b/0.jpg", "b/1.jpg", "c/0.jpg"]
    assert set(relatives(few)) <= set(relatives(scan(root, limit_per_class=5)))
    with pytest.raises(UserError, match="--limit-per-class"):
        scan(root, limit_per_class=0)


def test_links_lead_in_no_circle(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "a/1.jpg", "a/deep/2.jpg")
    make(tmp_path / "elsewhere", "3.jpg")
    (root / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (root / "above").symlink_to(tmp_path, target_is_directory=True)
    (root / "itself").symlink_to(root, target_is_directory=True)
    (root / "ring").symlink_to(root / "ring")
    (root / "a" / "back").symlink_to(root, target_is_directory=True)
    (root / "a" / "ring.jpg").symlink_to(root / "a" / "ring.jpg")
    (root / "a" / "broken.jpg").symlink_to(root / "nowhere.jpg")
    (root / "a" / "link.jpg").symlink_to(root / "a" / "1.jpg")
    os.mkfifo(root / "a" / "pipe.jpg")
    dataset = scan(root)
    assert relatives(dataset) == ["a/1.jpg", "a/deep/2.jpg", "a/link.jpg", "b/3.jpg"]
    assert dataset.skipped == 4  # back, ring.jpg, broken.jpg, pipe.jpg


def test_hostile_folder_names(tmp_path: Path) -> None:
    raw = [
        b"\xff",
        b"\\udcff",
        b"\x1b[31mred",
        b"\x02[31mred",
        b" ",
        b"gr\xc3\xbcn",
        b"\xe2\x80\xae",
    ]
    for name in raw:
        make(tmp_path, os.fsdecode(name + b"/\xfe.jpg"))
    dataset = scan(tmp_path)
    assert len(dataset.classes) == len(raw)
    for texts in (
        labels(dataset),
        relatives(dataset),
        [found.name for found in dataset.classes],
    ):
        assert len(set(texts)) == len(raw)
        "".join(texts).encode("utf-8")  # a store and a terminal can take them
    assert all(found.name.isprintable() and found.name.strip() for found in dataset.classes)
    assert all(Path(str(item.path)).is_file() for item in dataset.items)
    assert "\\udcff" in labels(dataset)
    assert "\\udcff (2)" in labels(dataset)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "no class folders"),
        (("loose.jpg",), "no class folders"),
        (("a/readme.txt",), "no class folders"),
        (("train/cat/1.jpg", "val/cat/2.jpg"), "holds splits"),
        (("n01443537/1.jpg",), "--names"),
    ],
)
def test_folders_that_are_no_dataset(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scan(make(tmp_path, *files))


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    root = make(tmp_path, "train/1.jpg", "bus/2.jpg")
    assert labels(scan(root)) == ["bus", "train"]


def test_sources_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        scan(tmp_path / "nowhere")
    with pytest.raises(UserError, match="neither a folder nor a manifest"):
        scan(make(tmp_path, "photo.jpg") / "photo.jpg")


def test_a_source_whose_name_is_too_long() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        scan("x" * 5000)


@settings(deadline=None)
@given(st.lists(st.text("ab019", max_size=6), max_size=12))
def test_natural_order_is_a_total_order_on_numbers(texts: list[str]) -> None:
    ordered = sorted(texts, key=natural)
    assert sorted(ordered) == sorted(texts)
    numbers = [text for text in ordered if text.isdigit()]
    assert [int(number) for number in numbers] == sorted(map(int, numbers))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", ""]), max_size=12))
def test_distinct_keeps_first_and_order(texts: list[str]) -> None:
    result = distinct(texts)
    assert len(set(result)) == len(texts)
    for before, after in zip(texts, result, strict=True):
        assert after.startswith(before)
        assert texts.count(before) > 1 or after.startswith(before)
