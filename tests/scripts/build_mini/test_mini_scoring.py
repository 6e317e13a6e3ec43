import math

import numpy as np
import pytest

from scripts.build_mini.cider import cider_d
from scripts.build_mini.evaluate_words import read_judged
from scripts.build_mini.scoring import (
    accuracy_per_class,
    area_under_curve,
    caption_figures,
    ends_in_stock,
    says_name,
    speaks_of_black_background,
    stammers,
)


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
    found = caption_figures(
        texts, ["lemon", "cat", "cat", "cat"], [True, False, True, None], [True, False, False, None]
    )
    assert found == {
        "captions": 4,
        "distinct": 0.75,
        "black background": 0.25,
        "says a colour": 0.75,
        "colour right, of those": pytest.approx(2 / 3),
        "first colour of the two largest": pytest.approx(1 / 3),
        "stock endings": 0,
        "stammers": 0,
        "says the class name": 0.5,
    }


def test_figures_of_no_captions() -> None:
    assert set(caption_figures([], [], [], []).values()) == {0}


def test_stock_endings() -> None:
    assert ends_in_stock("a red bus in the distance.")
    assert ends_in_stock("a cat with green all around.")
    assert not ends_in_stock("a cat on green grass.")


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("a blue blue bluebird.", True), ("a blue and light blue ball.", True),
        ("a man in a red shirt and a woman in a red hat.", False), ("the cat on the mat.", False),
    ],
)  # fmt: skip
def test_a_word_that_comes_again_at_once_is_a_stammer(text: str, does: bool) -> None:
    assert stammers(text) == does


def test_area_under_the_curve_counts_ties_half() -> None:
    true = np.array([True, True, False, False])
    assert area_under_curve(np.array([3.0, 1.0, 1.0, 0.0]), true) == (1 + 1 + 0.5 + 1) / 4


def test_cider_by_hand() -> None:
    """Two pictures; a word of both weighs nothing, a word of one log 2."""
    references = [["red dog"], ["blue dog"]]
    # Each n-gram but "dog" weighs log 2; a copy has cosine 1 for n = 1, 2 and nothing for 3, 4.
    assert cider_d(["red dog", "blue dog"], references) == pytest.approx(10 * 2 / 4)
    # "red red" against "red dog": counts are cut to the reference's, 1 x 1 / (2 x 1); no bigram.
    assert cider_d(["red red", "dog"], references) == pytest.approx(10 * 0.5 / 4 / 2)
    # One word too many costs exp(-1 / 72); unigrams (red, x) against (red): 1 / sqrt(2); the
    # unseen "x" weighs log 2 as well; bigrams "red dog", "dog x" against "red dog": 1 / sqrt(2).
    long = 10 * (2 / math.sqrt(2)) / 4 * math.exp(-1 / 72)
    assert cider_d(["red dog x", "nothing"], references) == pytest.approx(long / 2)
    with pytest.raises(ValueError, match="one list"):
        cider_d([], [])


def test_the_judged_photos_are_of_both_kinds() -> None:
    judged = read_judged()
    assert len({name.split("/")[0] for name in judged}) == 6
    assert len(judged) >= 90 and 40 <= sum(judged.values()) <= 60
