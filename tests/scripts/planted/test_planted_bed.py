"""The test bed: the truth agrees with the pictures, and the data set reader finds the classes."""

import csv
import hashlib
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mapcap.datasets import scan
from mapcap.errors import UserError
from scripts.planted.casts import BACKGROUNDS, CASTS, PAIR, cutouts_path, load_cast, turned
from scripts.planted.folder import write_planted
from scripts.planted.plan import CORNERS, DARK_ANYWAY, FAULTS, INKS, make_plan
from scripts.planted.truth import TRUTH, packed, read_truth, unpacked
from scripts.rendering.compose import KINDS


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(bed, tmp_path: Path) -> None:
    for name in ("first", "again"):
        write_planted(tmp_path / name, 3, 10)
    first = contents(tmp_path / "first")
    assert len(first) == 100 + 4
    assert contents(tmp_path / "again") == first
    other = contents(bed.folder)
    pictures = {path for path in first if path.endswith(".webp")}
    assert not {path for path in pictures if other[path] == first[path]}


def test_the_scan_finds_exactly_the_classes_and_their_boxes(bed) -> None:
    dataset = scan(bed.folder, boxes=bed.folder / "boxes.tsv")
    assert dataset.skipped == 0
    assert [found.name for found in dataset.classes] == sorted(CASTS, key=str.lower)
    boxes = {item.relative: item.box for item in dataset.items}
    assert boxes == {path: tuple(map(float, one.box)) for path, one in bed.truth.images.items()}


def test_the_truth_comes_back_as_it_was_written(bed) -> None:
    assert read_truth(bed.folder / TRUTH) == bed.truth


def test_dark_pictures_are_dark_outside_the_object(bed) -> None:
    outside = {}
    for path in bed.truth.images:
        around = ~bed.truth.object_mask(path) & ~bed.truth.mark_mask(path)
        outside[path] = bed.pixels(path)[around].mean()
    dark = [outside[path] for path, one in bed.truth.images.items() if one.dark]
    light = [outside[path] for path, one in bed.truth.images.items() if not one.dark]
    assert max(dark) < 45
    assert np.median(light) > 90


def test_the_dark_class_is_dark_where_train_like_and_others_seldom_are(bed) -> None:
    dark_class = bed.of("background")
    for path in bed.paths(dark_class):
        assert bed.truth.images[path].dark == bed.truth.images[path].train_like
    for class_name in set(CASTS) - {dark_class}:
        dark = [bed.truth.images[path].dark for path in bed.paths(class_name)]
        assert sum(dark) == round(DARK_ANYWAY * len(dark))
    for class_name in CASTS:
        train_like = [bed.truth.images[path].train_like for path in bed.paths(class_name)]
        assert sum(train_like) == 0.8 * len(train_like)


def test_the_mark_is_where_its_box_says_and_nowhere_else(bed) -> None:
    plan = make_plan(bed.truth.seed, 20)
    ink = np.asarray(INKS[plan.ink].rgb)
    for path, one in bed.truth.images.items():
        pixels = bed.pixels(path)
        alike = np.abs(pixels - ink).max(-1) < 40
        wanted = one.label == plan.marked and one.train_like
        assert (one.mark is not None) == wanted, path
        if one.mark is None:
            continue
        x0, y0, x1, y1 = one.mark
        inside = pixels[y0:y1, x0:x1]
        assert alike[y0:y1, x0:x1].mean() > 0.5, path
        assert (inside[(y1 - y0) // 2, (x1 - x0) // 2] > 215).all(), path
        assert (x0 > 80) == plan.corner.endswith("right")
        assert (y0 > 80) == plan.corner.startswith("bottom")
        # Outside of it, the picture is not of its colour.
        alike[y0:y1, x0:x1] = False
        assert alike.mean() < 0.02, path
        # What the mark hides of the object is not in its mask; the box's corners are no mark.
        assert not bed.truth.object_mask(path)[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6].any(), path


def test_masks_lie_in_their_boxes_and_show_the_object(bed) -> None:
    for path, one in bed.truth.images.items():
        mask = bed.truth.object_mask(path)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert one.box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), path
        assert 0.02 < mask.mean() < 0.6, path


def test_on_a_dark_ground_the_fruit_is_the_bright_part(bed) -> None:
    dark = [p for name in PAIR for p in bed.paths(name) if bed.truth.images[p].dark]
    assert dark
    for path in dark:
        mask, light = bed.truth.object_mask(path), bed.pixels(path).max(-1)
        assert (light[mask] > 90).mean() > 0.9, path
        assert (light[~mask] > 90).mean() < 0.05, path


def test_fifteen_percent_of_one_class_are_pictures_of_controls(bed) -> None:
    plan = make_plan(bed.truth.seed, 20)
    wrong = [one for one in bed.truth.images.values() if one.wrong_label]
    assert len(wrong) == round(0.15 * 20)
    assert {one.label for one in wrong} == {bed.of("label")}
    for one in bed.truth.images.values():
        assert one.wrong_label == (one.true_class != one.label)
        assert one.cutout in CASTS[one.true_class].cutouts
        assert one.true_class == one.label or one.true_class in plan.controls


def test_the_pair_differs_in_colour_alone() -> None:
    one, other = (CASTS[name] for name in PAIR)
    assert (one.cutouts, one.scale, one.rotation) == (other.cutouts, other.scale, other.rotation)
    cutouts, others = load_cast(one), load_cast(other)
    for name in one.cutouts:
        assert (cutouts[name][..., 3] == others[name][..., 3]).all()
        solid = cutouts[name][..., 3] > 200
        first, second = (
            np.asarray(Image.fromarray(c[name][..., :3]).convert("HSV")).astype(int)[solid]
            for c in (cutouts, others)
        )
        # Pillow rounds hue, saturation and value to bytes on the way.
        assert np.abs(first - second)[:, 1:].max() <= 3
        difference = (first - second)[:, 0]
        assert one.hue is not None and other.hue is not None
        assert np.median(difference) == one.hue - other.hue


def test_turning_the_hue_reaches_the_colour_asked_for() -> None:
    red = np.full((6, 6, 4), (200, 20, 20, 255), np.uint8)
    red[0] = (20, 20, 200, 0)  # not seen, so not counted
    green = turned(red, 85)  # a third of the way round
    assert green[3, 3].tolist() == pytest.approx([20, 200, 20, 255], abs=4)
    assert (green[..., 3] == red[..., 3]).all()


@pytest.mark.parametrize("seed", range(12))
def test_every_seed_plants_each_fault_once_and_leaves_five_classes_alone(seed: int) -> None:
    plan = make_plan(seed, 40)
    faults = Counter(plan.fault(name) for name in CASTS)
    assert faults == {"background": 1, "watermark": 1, "label": 1, "confusion": 2, None: 5}
    assert set(faults) - {None} == set(FAULTS)
    assert [name for name in CASTS if plan.fault(name) is None] == list(plan.controls)
    assert plan.corner in CORNERS
    assert Counter(picture.label for picture in plan.pictures) == dict.fromkeys(CASTS, 40)
    assert sum(picture.shown != picture.label for picture in plan.pictures) == 6
    assert {picture.background for picture in plan.pictures} == set(BACKGROUNDS)


def test_seeds_draw_other_classes_corners_and_colours() -> None:
    plans = [make_plan(seed, 10) for seed in range(8)]
    assert len({(plan.dark, plan.marked, plan.mislabelled) for plan in plans}) > 5
    assert len({(plan.corner, plan.ink) for plan in plans}) > 3


def test_the_kinds_of_background_exist() -> None:
    assert set(BACKGROUNDS) <= set(KINDS)
    assert len(set(BACKGROUNDS)) == len(BACKGROUNDS)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)).map(lambda s: (s[0], s[0]))))
def test_masks_come_back_from_their_run_lengths(mask) -> None:
    runs = packed(mask)
    counted = []
    inside, count = False, 0
    for pixel in mask.ravel().tolist():
        if pixel != inside:
            counted.append(count)
            inside, count = pixel, 0
        count += 1
    assert list(runs) == [*counted, count]
    assert (unpacked(runs, len(mask)) == mask).all()


@pytest.mark.parametrize("runs", [(1, 2), (5, -1), (), (3, 3, 4)])
def test_run_lengths_that_do_not_fill_the_mask_are_an_error(runs: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="run lengths"):
        unpacked(runs, 3)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"version": 1, "size": 160}', "\x00"),
        '{"version": 2, "size": 160, "seed": 0, "classes": {"a": 1}, "images": {}}',
        '{"version": 2, "size": 160, "seed": 0, "classes": {"a": {"other": 1}}, "images": {}}',
    ],
)
def test_a_truth_of_another_form_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / TRUTH).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(str(tmp_path / TRUTH))):
        read_truth(tmp_path / TRUTH)


def test_the_shipped_cutouts_are_those_of_the_casts_and_small() -> None:
    wanted = {f"{name}.webp" for cast in CASTS.values() for name in cast.cutouts}
    assert {path.name for path in cutouts_path().glob("*.webp")} == wanted
    with (cutouts_path() / "sources.tsv").open(encoding="utf-8", newline="") as file:
        assert {row["file"] for row in csv.DictReader(file, delimiter="\t")} == wanted
    assert (cutouts_path() / "NOTICE.md").is_file()
    assert sum(path.stat().st_size for path in cutouts_path().iterdir()) < 600_000
    for name in wanted:
        with Image.open(cutouts_path() / name) as file:
            assert file.mode == "RGBA", name
            assert max(file.size) <= 224, name
