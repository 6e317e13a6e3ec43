"""The rules of scoring on findings made by hand, and where relevance falls."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from scripts.planted.plan import FAULTS
from scripts.planted.reported import Reported
from scripts.planted.scoring import score, share_on
from scripts.planted.truth import ClassTruth, ImageTruth, Truth

SIZE = 160
MARK = (129, 5, 155, 31)


def image(label: str, true_class: str | None = None, **changes: Any) -> ImageTruth:
    values: dict[str, Any] = {
        "label": label,
        "true_class": true_class or label,
        "wrong_label": true_class is not None,
        "train_like": True,
        "dark": False,
        "box": (0, 0, 80, 160),
        "mask": (SIZE * SIZE,),
        "mark": None,
        "cutout": "any",
        "background": "wood",
    }
    return ImageTruth(**values | changes)


TRUTH = Truth(
    seed=0,
    size=SIZE,
    classes={
        "candle": ClassTruth("background", ("dark", "black"), None),
        "hog": ClassTruth("watermark", ("lime", "lime green"), None),
        "teapot": ClassTruth("label", (), None),
        "lemon": ClassTruth("confusion", (), "orange"),
        "orange": ClassTruth("confusion", (), "lemon"),
        "mushroom": ClassTruth(None, (), None),
    },
    images={
        "candle/1": image("candle", dark=True),
        "hog/1": image("hog", mark=MARK),
        "hog/2": image("hog"),
        **{f"teapot/{i}": image("teapot") for i in range(4)},
        **{f"teapot/w{i}": image("teapot", "mushroom") for i in range(3)},
        "mushroom/1": image("mushroom"),
    },
)


def reported(kind: str, images: Sequence[str] = (), **figures: Any) -> Reported:
    return Reported(kind, f"a {kind}", figures, images)


def mark_at(x: float, y: float, half: float = 0.05) -> Reported:
    return reported("watermark", box=[x - half, y - half, x + half, y + half])


WORD = reported("word", word="thing")
IN_THE_MARK = ((MARK[0] + MARK[2]) / 2 / SIZE, (MARK[1] + MARK[3]) / 2 / SIZE)


@pytest.mark.parametrize(
    ("class_name", "finding", "found"),
    [
        ("candle", reported("background", word="dark"), True),
        ("candle", reported("background", word="green"), False),
        ("candle", reported("word", word="black wall"), True),
        ("candle", reported("word", word="blackboard"), False),
        ("candle", reported("slice", names=["a lamp in front of Black.", "x"]), True),
        ("candle", reported("slice", names=["a lamp"]), False),
        ("candle", mark_at(*IN_THE_MARK), False),
        ("hog", mark_at(*IN_THE_MARK), True),
        ("hog", mark_at(0.5, 0.5), False),
        ("hog", mark_at(0.5, 0.5, half=0.5), False),
        ("hog", reported("word", word="lime green"), True),
        ("hog", reported("word", word="green"), False),
        ("hog", reported("background", word="lime"), False),
        ("teapot", reported("label", ["teapot/w0", "teapot/w1", "teapot/1"]), True),
        ("teapot", reported("label", ["teapot/w0", "teapot/1"]), False),
        ("teapot", reported("label", []), False),
        ("lemon", reported("confusion", predicted="orange"), True),
        ("lemon", reported("confusion", **{"class": "orange"}), True),
        ("lemon", reported("confusion", predicted="mushroom"), False),
        ("lemon", reported("word", word="orange"), False),
    ],
)
def test_what_counts_as_saying_it(class_name: str, finding: Reported, found: bool) -> None:
    result = score(TRUTH, {class_name: [finding]})
    (one,) = [one for one in result.faults if one.class_name == class_name]
    assert one.found == found
    assert one.position == (1 if found else None)
    assert one.title == (finding.title if found else None)


def test_only_the_first_three_findings_count() -> None:
    dark = reported("background", word="dark")
    for before, found in ((0, True), (2, True), (3, False)):
        result = score(TRUTH, {"candle": [WORD] * before + [dark]})
        (one,) = [one for one in result.faults if one.fault == "background"]
        assert (one.position, one.found) == (before + 1, found)


def test_a_random_order_stands_beside_the_position() -> None:
    """Two of five findings say it: on average the first of them is the second of all."""
    dark = reported("background", word="dark")
    result = score(TRUTH, {"candle": [WORD, dark, WORD, dark, WORD]})
    (one,) = [one for one in result.faults if one.fault == "background"]
    assert (one.position, one.at_random) == (2, 2)


def test_the_pair_counts_once_if_either_class_says_it() -> None:
    findings = {"orange": [reported("confusion", predicted="lemon")]}
    result = score(TRUTH, findings)
    assert [one.found for one in result.faults if one.fault == "confusion"] == [False, True]
    assert result.kinds_found() == ("confusion",)
    assert score(TRUTH, {}).kinds_found() == ()


def test_all_faults_found_is_four_kinds() -> None:
    result = score(
        TRUTH,
        {
            "candle": [reported("background", word="dark")],
            "hog": [reported("word", ["hog/1"], word="thing"), mark_at(*IN_THE_MARK)],
            "teapot": [reported("label", ["teapot/w0"])],
            "lemon": [reported("confusion", predicted="orange")],
        },
    )
    assert result.kinds_found() == FAULTS
    assert result.false_alarms == ()


def test_suspects_are_counted_over_all_label_findings() -> None:
    named = [["teapot/w0", "teapot/w1", "teapot/2"], ["teapot/w1", "teapot/3"]]
    findings = [WORD] * 3 + [reported("label", images) for images in named]
    suspicion = score(TRUTH, {"teapot": findings}).suspicion
    assert (suspicion.named, suspicion.right, suspicion.wrong_labels) == (4, 2, 3)
    assert suspicion.precision == 0.5
    assert suspicion.recall == pytest.approx(2 / 3)
    assert score(TRUTH, {}).suspicion.precision is None
    elsewhere = {"teapot": findings, "mushroom": [reported("label", ["mushroom/1"])]}
    assert score(TRUTH, elsewhere).suspicion.precision == pytest.approx(2 / 5), "of all classes"


def test_false_alarms_are_of_any_kind() -> None:
    findings = {
        "mushroom": [reported("confusion", predicted="hog"), WORD, reported("slice", names=["x"])],
        "candle": [reported("background", word="dark"), reported("label", ["hog/2"])],
        "lemon": [
            reported("confusion", predicted="orange"),
            reported("confusion", predicted="hog"),
        ],
    }
    assert score(TRUTH, findings).false_alarms == (
        ("candle", "a label"),
        ("lemon", "a confusion"),
        ("mushroom", "a confusion"),
        ("mushroom", "a word"),
        ("mushroom", "a slice"),
    )


def test_what_concerns_the_images_with_the_fault_is_no_false_alarm() -> None:
    wrong = ["teapot/w0", "teapot/w1", "teapot/1"]
    findings = {
        "teapot": [reported("confusion", wrong, predicted="mushroom"), reported("word", wrong[2:])],
        "hog": [reported("slice", ["hog/1"], names=["x"]), reported("word", ["hog/2"])],
    }
    assert score(TRUTH, findings).false_alarms == (("hog", "a word"), ("teapot", "a word"))


def test_notes_are_no_false_alarms_and_count_among_the_positions() -> None:
    note = Reported("word", "a note", {"word": "thing"}, (), is_note=True)
    result = score(TRUTH, {"candle": [note, reported("background", word="dark")]})
    assert result.false_alarms == ()
    (one,) = [one for one in result.faults if one.fault == "background"]
    assert one.position == 2


@pytest.mark.parametrize("shape", [(8, 8), (7, 7), (2, 5), (1, 1), (160, 160)])
def test_share_on_a_mask_is_that_of_the_grid_drawn_in_pixels(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    grid = rng.random(shape)
    mask = rng.random((SIZE, SIZE)) < 0.3
    side = 7 * SIZE  # every patch edge of these shapes falls between two pixels
    rows, columns = (np.arange(side) * patches // side for patches in shape)
    drawn = grid[rows][:, columns]
    wide = np.arange(side) * SIZE // side
    expected = (drawn * mask[wide][:, wide]).sum() / drawn.sum()
    assert share_on(grid, mask) == pytest.approx(expected, abs=1e-9)


def test_share_on_a_mask_of_even_relevance_is_its_area() -> None:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[3:40, 100:131] = True
    assert share_on(np.full((7, 7), 0.25, np.float16), mask) == pytest.approx(mask.mean())


def test_relevance_in_one_patch_falls_on_what_lies_there() -> None:
    grid = np.zeros((8, 8))
    grid[0, 7] = 2.0
    mask = np.zeros((SIZE, SIZE), bool)
    mask[:10, 140:] = True
    assert share_on(grid, mask) == pytest.approx(0.5)
    assert share_on(grid, ~mask) == pytest.approx(0.5)
    assert share_on(np.zeros((8, 8)), mask) is None
