"""TinyImageNet's own layout, whole and in parts."""

from pathlib import Path

import pytest

from mapcap.datasets import ClassLabel, scan
from mapcap.errors import UserError
from tests.datasets.laid import make, relatives

NAMES = Path(__file__).parents[3] / "shared" / "data" / "tiny-imagenet-classes.tsv"


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
