"""How folders are laid out: what is a class, what is not, and what is asked about."""

import unicodedata
from pathlib import Path

import pytest

from mapcap.datasets import Dataset, scan
from mapcap.errors import UserError
from tests.datasets.laid import labels, make, relatives

JPEG = b"\xff\xd8\xff\xe0"


def test_the_folder_of_an_archive_is_gone_through(tmp_path: Path) -> None:
    root = make(tmp_path, "data/photos-v2/cat/1.jpg", "data/photos-v2/dog/2.jpg", "data/README.md")
    dataset = scan(root)
    assert labels(dataset) == ["cat", "dog"]
    assert relatives(dataset) == ["data/photos-v2/cat/1.jpg", "data/photos-v2/dog/2.jpg"]
    assert dataset.notes == (f"classes are the folders of {root / 'data' / 'photos-v2'}",)


def test_a_single_class_is_no_wrapper(tmp_path: Path) -> None:
    assert labels(scan(make(tmp_path, "cat/images/1.jpg"))) == ["cat"]


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "Testing"), ("train2017", "val2017")]
)
def test_unlabelled_splits_are_passed_over(tmp_path: Path, train: str, test: str) -> None:
    root = make(tmp_path, f"{train}/cat/1.jpg", f"{train}/dog/2.jpg", f"{test}/images/3.jpg")
    dataset = scan(root)
    assert labels(dataset) == ["cat", "dog"]
    assert dataset.passed == {f"in {test}, which has no classes": 1}


def test_a_split_beside_classes_is_asked_about(tmp_path: Path) -> None:
    root = make(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "bus/3.jpg")
    with pytest.raises(UserError, match=r"two ways.*--class-level top"):
        scan(root)
    assert labels(scan(root, class_level="top")) == ["bus", "train"]


def test_classes_in_classes_are_asked_about(tmp_path: Path) -> None:
    root = make(tmp_path, "animal/cat/1.jpg", "animal/dog/2.jpg", "food/pie/3.jpg")
    with pytest.raises(UserError, match=r"2 folders, such as animal, or the 3 .*--class-level"):
        scan(root)
    assert labels(scan(root, class_level="top")) == ["animal", "food"]
    assert labels(scan(root, class_level="leaf")) == ["cat", "dog", "pie"]
    make(root, "food/cat/4.jpg")
    assert labels(scan(root, class_level="leaf")) == ["animal/cat", "dog", "food/cat", "pie"]
    with pytest.raises(UserError, match="--class-level"):
        scan(root, class_level="middle")


@pytest.mark.parametrize("inner", ["2019", "images", "train"])
def test_folders_that_say_nothing_are_no_classes(tmp_path: Path, inner: str) -> None:
    root = make(tmp_path, f"cat/{inner}/1.jpg", "cat/other/2.jpg", f"dog/{inner}/3.jpg")
    assert labels(scan(root)) == ["cat", "dog"]


def test_a_flat_folder_has_its_classes_from_its_table(tmp_path: Path) -> None:
    root = make(tmp_path, "archive/1.jpg", "archive/2.jpg", "archive/readme.txt")
    with pytest.raises(UserError, match="2 images lie in it, without a class"):
        scan(root / "archive")
    (root / "archive" / "labels.csv").write_text("Id;Label\n1;cat\n2;dog\n")
    (root / "archive" / "sizes.csv").write_text("name,bytes\n1,2\n")
    dataset = scan(root / "archive")
    assert labels(dataset) == ["cat", "dog"]
    assert relatives(dataset) == ["1.jpg", "2.jpg"]
    assert "labels.csv" in dataset.notes[0]
    (root / "archive" / "more.tsv").write_text("file\tclass\n1.jpg\tcat\n")
    with pytest.raises(UserError, match=r"2 tables.*labels\.csv or .*more\.tsv"):
        scan(root / "archive")


def test_flat_splits_with_a_table_name_it(tmp_path: Path) -> None:
    root = make(tmp_path, "train/1.jpg", "test/2.jpg")
    (root / "train.csv").write_text("id,label\n1,cat\n")
    with pytest.raises(UserError, match=r"name .*train\.csv"):
        scan(root)


def test_names_in_two_unicode_forms_are_one_class(tmp_path: Path) -> None:
    composed, decomposed = (
        unicodedata.normalize("NFC", "café"),
        unicodedata.normalize("NFD", "café"),
    )
    make(tmp_path, f"{composed}/1.jpg", f"{decomposed}/2.jpg", "dog/3.jpg")
    dataset = scan(tmp_path)
    assert labels(dataset) == ["café", "dog"]
    assert len(dataset.items) == 3
    names = tmp_path / "names.tsv"
    names.write_text(unicodedata.normalize("NFD", "café") + "\tcoffee\ndog\tdog\n")
    assert [each.name for each in scan(tmp_path, names=names).classes] == ["coffee", "dog"]


def test_names_that_differ_in_blanks_are_one_class(tmp_path: Path) -> None:
    dataset = scan(make(tmp_path, "cat/1.jpg", "cat /2.jpg", "dog/3.jpg"))
    assert labels(dataset) == ["cat", "dog"]
    assert dataset.notes == ("classes that differ in blanks alone are one: 'cat'",)


def test_names_that_differ_in_case_are_asked_about(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "cat/1.jpg", "Cat/2.jpg")
    if len(list(root.iterdir())) == 1:
        pytest.skip("this file system knows no case")
    with pytest.raises(UserError, match=r"Cat and cat differ in case alone.*--names"):
        scan(root)
    names = tmp_path / "names.tsv"
    names.write_text("cat\tsmall\nCat\tlarge\n")
    assert len(scan(root, names=names).classes) == 2


def test_a_link_to_another_class_is_no_class(tmp_path: Path) -> None:
    root = make(tmp_path, "cat/1.jpg", "dog/2.jpg")
    (root / "kitten").symlink_to(root / "cat", target_is_directory=True)
    dataset: Dataset = scan(root)
    assert labels(dataset) == ["cat", "dog"]
    assert dataset.passed == {"links": 1}


def test_content_decides_where_the_ending_says_nothing(tmp_path: Path) -> None:
    root = make(tmp_path, "cat/1.heic", "cat/2.txt", "dog/1.jpg")
    for name in ("photo", "photo.orig", "photo.JPG_large"):
        (root / "cat" / name).write_bytes(JPEG)
    (root / "cat" / "notes.orig").write_bytes(b"a text")
    dataset = scan(root)
    assert [path for path in relatives(dataset) if path.startswith("cat")] == [
        "cat/1.heic", "cat/photo", "cat/photo.JPG_large", "cat/photo.orig",
    ]  # fmt: skip
    assert dataset.passed == {"no pictures": 2}


@pytest.mark.parametrize("above", ["", "images/"])
def test_splits_without_classes_are_no_classes(tmp_path: Path, above: str) -> None:
    root = make(tmp_path, f"{above}train/1.jpg", f"{above}val/2.jpg")
    with pytest.raises(UserError, match=r"holds splits \(train, val\).*--class-level top"):
        scan(root)
    assert labels(scan(root / above, class_level="top")) == ["train", "val"]


def test_classes_beside_their_masks_are_asked_about(tmp_path: Path) -> None:
    names = [f"{kind}/{name}/1.png" for kind in ("images", "masks") for name in ("cat", "dog")]
    root = make(tmp_path, *names)
    with pytest.raises(UserError, match=r"two ways.*--class-level top or leaf, or name the folder"):
        scan(root)
    assert labels(scan(root / "images")) == ["cat", "dog"]
    sessions = make(tmp_path / "own", "cat/day/1.png", "cat/dusk/1.png", "dog/day/1.png")
    assert labels(scan(sessions)) == ["cat", "dog"]


def test_a_table_that_is_not_read_is_named(tmp_path: Path) -> None:
    root = make(tmp_path, "images/1.jpg")
    (root / "labels.csv").write_text("id,breed\n1,beagle\n")
    assert "not read, for want of columns of paths and classes: labels.csv" in scan(root).notes


def test_an_archive_for_a_folder_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(UserError, match="neither a folder nor a manifest but a zip archive"):
        scan(tmp_path / "photos.zip")
