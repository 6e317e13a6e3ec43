from pathlib import Path

import numpy as np

from scripts.build_mini.appearance import Nouns, analyse_batch
from scripts.build_mini.assemble import PATCH, SIZE
from scripts.build_mini.features import region_masks
from scripts.build_mini.looks import analyse_rows, read_looks, write_captions, write_looks


def photos(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)


def test_appearances_come_back_from_the_file(tmp_path: Path) -> None:
    looks = analyse_rows(photos(5), np.tile([0.2, 0.2, 0.8, 0.9], (5, 1)))
    write_looks(tmp_path / "looks.jsonl", looks)
    assert read_looks(tmp_path / "looks.jsonl") == looks


def test_chunks_change_nothing() -> None:
    pixels, boxes = photos(600), np.tile([0.0, 0.1, 0.7, 1.0], (600, 1))
    assert analyse_rows(pixels, boxes) == analyse_batch(pixels, boxes)


def test_captions_are_the_same_every_time() -> None:
    looks = analyse_rows(photos(6), np.tile([0.1, 0.1, 0.9, 0.9], (6, 1)))
    nouns = [Nouns("cat", (), ()), Nouns("dog", (), ())]
    first = write_captions(looks, [0, 1] * 3, nouns)
    assert first == write_captions(looks, [0, 1] * 3, nouns)
    assert ["cat" in text for text in first] == [True, False] * 3


def test_regions_of_boxes() -> None:
    side = SIZE // PATCH
    boxes = np.array([[2 / side, 0.0, 6 / side, 4 / side], [0.0, 0.0, 1.0, 1.0]], np.float32)
    wholes, parts = region_masks(boxes, np.random.default_rng(0))
    assert wholes.shape == parts.shape == (2, side, side)
    assert wholes[0, :4, 2:6].all() and wholes[0].sum() == 16
    assert wholes[1].all() and 0 < parts[1].sum() < side**2
