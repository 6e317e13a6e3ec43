"""Scanning folders: order, names, boxes, limits, and what may lie in a folder."""

import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapcap.datasets import ClassLabel, Dataset, scan
from mapcap.datasets.records import distinct, natural
from mapcap.errors import UserError

MISSION = Path(__file__).parents[3] / "shared" / "data" / "mission25.tar"
NAMES = Path(__file__).parents[3] / "shared" / "data" / "tiny-imagenet-classes.tsv"


def make(root: Path, *files: str) -> Path:
    """Create empty files below a folder; scanning opens none of them."""
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def relatives(dataset: Dataset) -> list[str]:
    return [item.relative for item in dataset.items]


def labels(dataset: Dataset) -> list[str]:
    return [found.label for found in dataset.classes]


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


def test_names_from_a_file(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "n1/1.jpg", "n2/2.jpg")
    names = tmp_path / "names.tsv"
    names.write_text("wnid\tname\tmore\nn2\tlion, king of beasts\tx\nn1\t\x1bcat\nn9\tunused\n")
    assert [c.name for c in scan(root, names=names).classes] == [
        "\ufffdcat",
        "lion, king of beasts",
    ]
    comma = tmp_path / "names.csv"
    comma.write_text('\ufeffn1,"cat, domestic"\r\nn2,lion\r\n', encoding="utf-8")
    assert [c.name for c in scan(root, names=comma).classes] == ["cat, domestic", "lion"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n1\tcat\n", "no name for n2"),
        ("n1\tcat\nn2\tcat\n", "calls both n1 and n2 'cat'"),
        ("n1\tcat\nn2\n", r"names\.tsv, line 2"),
        ("n1\tcat\n\nn1\tdog\nn2\tlion\n", r"line 3: n1 is named again"),
        ("", "no name for n1, n2"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, text: str, message: str) -> None:
    root = make(tmp_path / "data", "n1/1.jpg", "n2/2.jpg")
    (tmp_path / "names.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        scan(root, names=tmp_path / "names.tsv")


def test_at_most_five_missing_names_are_listed(tmp_path: Path) -> None:
    root = make(tmp_path / "data", *(f"c{i}/1.jpg" for i in range(8)))
    (tmp_path / "names.tsv").write_text("other\tthing\n")
    with pytest.raises(UserError, match=r"c0, c1, c2, c3, c4 and 3 more\."):
        scan(root, names=tmp_path / "names.tsv")


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    root = make(tmp_path / "data", "a/1.jpg")
    with pytest.raises(UserError, match=r"--names: .*missing\.tsv cannot be read"):
        scan(root, names=tmp_path / "missing.tsv")
    (tmp_path / "none.tsv").write_bytes(b"b\tx\na\t\xe9\x81\n")
    with pytest.raises(UserError, match=r"none\.tsv.* UTF-8"):
        scan(root, names=tmp_path / "none.tsv")
    (tmp_path / "huge.csv").write_text('"' + "x" * 200_000)
    with pytest.raises(UserError, match="line 1: a quote is opened there and never closed"):
        scan(root, names=tmp_path / "huge.csv")


def test_a_source_whose_name_is_too_long() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        scan("x" * 5000)


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


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return TinyImageNet in small, its own files with it."""
    root = make(
        tmp_path / "tiny-imagenet-200",
        "train/n01443537/images/n01443537_0.JPEG", "train/n01443537/images/n01443537_10.JPEG",
        "train/n02123045/images/n02123045_2.JPEG", "val/images/val_0.JPEG", "val/images/val_1.JPEG",
        "test/images/test_0.JPEG", "wnids.txt",
    )  # fmt: skip
    (root / "train/n01443537/n01443537_boxes.txt").write_text(
        "n01443537_0.JPEG\t0\t10\t63\t58\nn01443537_10.JPEG\t5\t5\t5\t6\n"
    )
    (root / "val/val_annotations.txt").write_text(
        "val_0.JPEG\tn02123045\t0\t32\t44\t62\nval_1.JPEG\tn01443537\t1\t2\t3\t4\n"
    )
    (root / "words.txt").write_text(
        "n00001740\tentity\nn01443537\tgoldfish, Carassius auratus\nn02123045\ttabby, tabby cat\n"
    )
    return root


def test_tiny_imagenet_whole(tiny: Path) -> None:
    dataset = scan(tiny)
    assert dataset.classes == (
        ClassLabel("n01443537", "goldfish"), ClassLabel("n02123045", "tabby"),
    )  # fmt: skip
    assert [(item.relative, item.class_index, item.box) for item in dataset.items] == [
        ("train/n01443537/images/n01443537_0.JPEG", 0, (0, 10, 63, 58)),
        ("train/n01443537/images/n01443537_10.JPEG", 0, None),
        ("val/images/val_1.JPEG", 0, (1, 2, 3, 4)),
        ("train/n02123045/images/n02123045_2.JPEG", 1, None),
        ("val/images/val_0.JPEG", 1, (0, 32, 44, 62)),
    ]
    assert dataset.skipped == 0
    assert all(Path(str(item.path)).is_file() for item in dataset.items)


def test_tiny_imagenet_in_parts(tiny: Path) -> None:
    assert relatives(scan(tiny / "val")) == ["images/val_1.JPEG", "images/val_0.JPEG"]
    train = scan(tiny / "train")
    assert relatives(train)[0] == "n01443537/images/n01443537_0.JPEG"
    assert [found.name for found in train.classes] == ["goldfish", "tabby"]


def test_tiny_imagenet_synonyms_that_collide(tiny: Path) -> None:
    (tiny / "words.txt").write_text("n01443537\tcrane, bird\nn02123045\tcrane, machine\n")
    assert [found.name for found in scan(tiny).classes] == ["crane, bird", "crane, machine"]


def test_tiny_imagenet_without_its_words(tiny: Path) -> None:
    (tiny / "words.txt").unlink()
    with pytest.raises(UserError, match="--names"):
        scan(tiny)
    (tiny / "names.tsv").write_text("n01443537\ta fish\nn02123045\ta cat\n")
    dataset = scan(tiny, names=tiny / "names.tsv")
    assert [found.name for found in dataset.classes] == ["a fish", "a cat"]


def test_tiny_imagenet_with_a_broken_annotation(tiny: Path) -> None:
    (tiny / "val/val_annotations.txt").write_text("val_0.JPEG\tn02123045\n")
    with pytest.raises(UserError, match=r"val_annotations\.txt, line 1"):
        scan(tiny)


def test_the_sample() -> None:
    dataset = scan("sample")
    assert len(dataset.classes) >= 5
    assert dataset.skipped == 0
    for item in dataset.items:
        assert item.box is not None
        with Image.open(str(item.path)) as image:
            assert item.box[2] <= image.width
            assert item.box[3] <= image.height


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


@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text("\t,;\"\n\r1.5abx/", max_size=120)
                         .map(str.encode)))  # fmt: skip
def test_any_table_gives_a_result_or_a_user_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    root = make(folder / "data", "a/1.jpg")
    table = folder / "table.tsv"
    table.write_bytes(content)
    choices: tuple[dict[str, Any], ...] = ({"names": table}, {"boxes": table})
    for options in choices:
        try:
            assert len(scan(root, **options).items) == 1
        except UserError as error:
            assert "\x1b" not in str(error)
    (folder / "manifest.csv").write_bytes(content)
    with pytest.raises(UserError):
        scan(folder / "manifest.csv")
