import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.build_mini.scoring import (
    accuracy_per_class,
    box_coverage,
    caption_figures,
    centred_gaussian,
    energy_inside,
    points_inside,
    says_name,
    speaks_of_black_background,
)


def test_coverage_of_a_box_between_patches() -> None:
    found = box_coverage((0, 5, 15, 20), (20, 20), (2, 2))
    assert found.tolist() == [[0.5, 0.25], [1.0, 0.5]]


edges = st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(lambda e: e[0] != e[1]).map(sorted)


@given(edges, edges)
def test_coverage_counts_pixels(x: list[int], y: list[int]) -> None:
    pixels = np.zeros((24, 24))
    pixels[y[0] : y[1], x[0] : x[1]] = 1
    by_patch = pixels.reshape(4, 6, 8, 3).mean((1, 3))
    assert np.allclose(box_coverage((x[0], y[0], x[1], y[1]), (24, 24), (4, 8)), by_patch)


def test_energy_and_pointing() -> None:
    maps = np.array([[[1.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], [[5.0, 1.0], [1.0, 1.0]]])
    boxes = [[[0.0, 0.5], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]]
    coverage = np.array(boxes)
    assert energy_inside(maps, coverage).tolist() == [0.375, 0.0, 0.625]
    assert points_inside(maps, coverage).tolist() == [False, True, True]


def test_the_gaussian_lies_in_the_middle() -> None:
    bell = centred_gaussian((4, 6), 2.0)
    assert bell.shape == (4, 6)
    assert bell[1, 2] == bell[2, 3] == bell.max()
    assert bell[0, 0] == pytest.approx(math.exp(-(1.5**2 + 2.5**2) / 8))


def test_accuracy_is_per_class() -> None:
    found = accuracy_per_class(np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1]))
    assert found.tolist() == pytest.approx([1 / 3, 1.0])


@pytest.mark.parametrize(
    ("text", "black"),
    [
        ("a lion on a black background.", True),
        ("a lion against black.", True),
        ("A lion in front of a plain black wall.", True),
        ("a lion in black surroundings.", True),
        ("a lion against black and green.", False),
        ("a black lion on green grass.", False),
        ("a lion in the dark.", False),
        ("a bottle with black parts on blackboards.", False),
    ],
)
def test_black_backgrounds(text: str, black: bool) -> None:
    assert speaks_of_black_background(text) is black


def test_names_are_whole_words() -> None:
    assert says_name("A Beer Bottle, half full", "beer bottle")
    assert not says_name("a dandelion", "lion")
    assert says_name("a potter's wheel.", "potter's wheel")


def test_caption_figures() -> None:
    texts = ["a red lemon.", "a red lemon.", "a cat against black.", "something."]
    found = caption_figures(texts, ["lemon", "cat", "cat", "cat"], [True, False, True, None])
    assert found == {
        "captions": 4,
        "distinct": 0.75,
        "black background": 0.25,
        "says a colour": 0.75,
        "colour right, of those": pytest.approx(2 / 3),
        "says the class name": 0.5,
    }


def test_figures_of_no_captions() -> None:
    assert set(caption_figures([], [], []).values()) == {0}
