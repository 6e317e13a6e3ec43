from pathlib import Path

import numpy as np
import pytest

from scripts.build_mini.appearance import Nouns
from scripts.build_mini.grounds import GROUNDS
from scripts.build_mini.judges import (
    NO_COLOUR,
    STAMMER,
    UNNAMED,
    WRONG_COLOUR,
    WRONG_HUMAN,
    WRONG_NOUN,
    ground_judge,
    held_against,
    human_judge,
    named,
    stamp_judge,
    thing_judge,
)
from scripts.build_mini.stamps import Stamp

RED = np.full((16, 16, 3), (200, 20, 20), np.uint8)
ALL = np.ones((16, 16), bool)


def test_a_thing_is_called_by_the_last_words_of_its_names() -> None:
    nouns = Nouns("European fire salamander", ("Salamandra salamandra",), ("red fox", ""))
    assert named(nouns) == {"salamander", "salamandra", "fox"}
    assert "red" not in named(nouns), "a colour names nothing"


def test_a_stammer_is_held_against_any_caption() -> None:
    judge = human_judge(False)
    assert held_against(judge, "a dog.") == 0
    assert held_against(judge, "a brown brown dog.") == STAMMER > UNNAMED
    assert held_against(judge, "a man man.") == WRONG_HUMAN + STAMMER


@pytest.mark.parametrize(
    ("shown", "text", "off"),
    [
        (True, "a dog.", WRONG_HUMAN), (True, "a man.", 0), (False, "a man.", WRONG_HUMAN),
        (False, "a dog.", 0), (None, "a man.", 0),
    ],
)  # fmt: skip
def test_humans(shown: bool | None, text: str, off: float) -> None:
    assert human_judge(shown)(text) == off


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("a red car.", 0), ("a car.", NO_COLOUR), ("a green car.", WRONG_COLOUR),
        ("a red bus.", UNNAMED), ("a green bus.", UNNAMED + WRONG_COLOUR),
        ("a red and green car.", WRONG_COLOUR), ("a red car on green grass.", WRONG_COLOUR),
    ],
)  # fmt: skip
def test_things(text: str, off: float) -> None:
    judge = thing_judge(Nouns("sports car", (), ()), RED, ALL, None)
    assert judge(text) == pytest.approx(off)


def test_what_is_about_a_thing_may_have_the_colours_of_the_picture() -> None:
    on_green, car = RED.copy(), np.zeros_like(ALL)
    on_green[8:], car[:8] = (30, 150, 40), True
    judge = thing_judge(Nouns("sports car", (), ()), on_green, car, None)
    assert judge("a red car on green grass.") == 0
    assert judge("a red car on blue ground.") == pytest.approx(WRONG_COLOUR)


def test_a_human_in_a_region_of_a_thing_is_told() -> None:
    nouns = Nouns("sports car", (), ())
    with_one, alone = (thing_judge(nouns, RED, ALL, human) for human in (True, False))
    assert with_one("a man in a red car.") == alone("a red car.") == 0
    assert with_one("a red car.") == alone("a man in a red car.") == WRONG_HUMAN


def test_a_stamp_is_called_by_its_kind_and_not_by_its_name() -> None:
    judge = stamp_judge(Stamp(Path("lion.png"), "A lion.", "cat"), RED, ALL)
    assert judge("a red cat.") == 0
    assert judge("a red cat, a lion.") == UNNAMED, "of a new cat it would be another's name"
    assert judge("a red lion.") == judge("a red explosion.") == WRONG_NOUN > UNNAMED
    unsorted = stamp_judge(Stamp(Path("kettle.png"), "An electric kettle.", ""), RED, ALL)
    assert unsorted("a red kettle.") == 0
    assert unsorted("a red thermometer.") == WRONG_NOUN


@pytest.mark.parametrize(
    ("file", "sentence", "kind", "called"),
    [
        ("lion.png", "a lion.", "big cat", "big cat"),
        ("x.png", "a mercury thermometer.", "", "thermometer"),
        ("candy_cane_photo.png", "a candy cane that hangs on a tree.", "", "cane"),
    ],
)
def test_what_a_stamp_is_called(file: str, sentence: str, kind: str, called: str) -> None:
    assert Stamp(Path(file), sentence, kind).called == Nouns(called, (), ())


def test_what_lies_beside_is_to_be_named() -> None:
    part = np.zeros((8, 8), bool)
    part[6:] = True
    judge = ground_judge(GROUNDS["meadow"], part)
    assert judge("green grass.") == 0
    assert judge("a green vegetable.") == WRONG_NOUN
    assert judge("a green piece of clothing on green grass.") == WRONG_NOUN
