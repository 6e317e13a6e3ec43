"""The colours that a caption names, and whether they are right."""

import numpy as np
import pytest

from mapcap.colours import (
    FAMILIES,
    colour_is_right,
    colour_words,
    colours_are_there,
    family_shares,
    first_colour_is_large,
    surroundings_are_there,
)
from mapcap.colours.words import of_the_object, of_the_thing_itself
from scripts.build_mini.appearance import analyse, full_masks
from tests.scripts.build_mini.appearance.painting import MIDDLE, flat, on

# --- colour words of any text


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("a golden and dark grey cat.", {"yellow", "grey"}),
        ("a golden brown dog", {"brown"}),
        ("a silver grey bus against a sky blue wall", {"grey", "blue"}),
        ("a black widow on white", {"white"}),
        ("a golden retriever", set()),
        ("the orange is green", {"green"}),
        ("an orange cat", {"orange"}),
        ("a reddish brown bug", {"brown"}),
        ("a cat asleep", set()),
    ],
)
def test_colour_words(text: str, families: set[str]) -> None:
    assert colour_words(text) == families


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a red bus against green leaves.", "a red bus "),
        ("a coat in red and white on green.", "a coat in red and white "),
        (
            "a red bird with black markings with green all around.",
            "a red bird with black markings ",
        ),
        ("a cat on a red chair.", "a cat on a red chair."),
        ("a dog in shades of brown near something white.", "a dog in shades of brown "),
    ],
)
def test_the_objects_part_of_a_caption(text: str, part: str) -> None:
    assert of_the_object(text) == part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a blue and green car.", "a blue and green car."),
        ("a man wearing a red shirt.", "a man "),
        ("a man in a red shirt.", "a man "),
        ("a bird with green feathers.", "a bird "),
        ("a brown dog on snow.", "a brown dog "),
    ],
)
def test_the_thing_itself_in_a_caption(text: str, part: str) -> None:
    assert of_the_thing_itself(text) == part


def test_colour_is_right() -> None:
    picture = on(flat(60, 130, 60), 200, 30, 40)
    mask = full_masks(MIDDLE[None], (56, 56))[0]
    assert colour_is_right("a red bus against green.", family_shares(picture, mask)) is True
    assert colour_is_right("a green bus against red.", family_shares(picture, mask)) is False
    assert colour_is_right("a black and red bus.", family_shares(picture, mask)) is True
    assert colour_is_right("a bus.", family_shares(picture, mask)) is None
    assert colour_is_right("a green bus.", family_shares(picture, ~mask)) is True
    assert colour_is_right("a red bus.", family_shares(picture, np.zeros((56, 56), bool))) is False


def test_a_colour_is_right_from_its_least_share() -> None:
    picture = flat(60, 130, 60)
    picture[:, :8] = (200, 30, 40)  # one seventh
    mask = np.ones((56, 56), bool)
    assert colour_is_right("a red thing.", family_shares(picture, mask)) is False
    picture[:, 8] = (200, 30, 40)
    assert colour_is_right("a red thing.", family_shares(picture, mask)) is True


def test_the_largest_families_are_counted_in_pixels() -> None:
    picture = flat(200, 30, 40)
    picture[:20] = (250, 250, 250)
    assert analyse(picture, np.array([0.0, 0.0, 1.0, 1.0])).largest == ("red", "white")
    assert analyse(flat(200, 30, 40), MIDDLE).largest == ("red",)


def test_the_first_colour_of_a_caption_against_the_two_largest() -> None:
    picture = flat(200, 30, 40)
    picture[:20], picture[20:23] = (250, 250, 250), (40, 60, 200)
    mask = np.ones((56, 56), bool)
    for text, right in (("a white and blue bus.", True), ("a red bus.", True), ("a bus.", None),
                        ("a blue and red bus.", False), ("a green bus.", False)):  # fmt: skip
        assert first_colour_is_large(text, family_shares(picture, mask)) is right


def test_every_colour_said_of_the_object_is_there() -> None:
    picture = flat(200, 30, 40)
    picture[:2] = (40, 60, 200)  # one twenty-eighth, as a vivid spot may be
    mask = np.ones((56, 56), bool)
    for text, there in (("a red bus.", True), ("a red and blue bus.", True), ("a bus.", None),
                        ("a red and green bus.", False), ("a red bus on green grass.", True),
                        ("a red and turquoise bus.", True)):  # fmt: skip
        assert colours_are_there(text, family_shares(picture, mask)) is there
    picture[1:2] = (200, 30, 40)
    assert colours_are_there("a red and blue bus.", family_shares(picture, mask)) is False


def test_surroundings_are_held_against_the_whole_picture() -> None:
    sky = dict.fromkeys(FAMILIES, 0.0) | {"black": 0.4, "blue": 0.59, "green": 0.01}
    assert surroundings_are_there("a black bird on green grass.", sky) is False
    assert surroundings_are_there("a black bird under a blue sky.", sky) is True
    assert surroundings_are_there("a green bird.", sky) is None
    assert surroundings_are_there("a black bird in the snow.", sky) is None
