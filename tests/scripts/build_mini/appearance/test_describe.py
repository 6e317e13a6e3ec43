"""Sentences made of an appearance: English, true, and of many shapes."""

import random
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from mapcap.colours import colour_is_right, family_shares
from mapcap.colours.naming import palette
from scripts.build_mini.appearance import (
    Appearance,
    Colour,
    Nouns,
    analyse,
    describe,
    full_masks,
    phrases,
)
from tests.scripts.build_mini.appearance.painting import MIDDLE, flat, on

TABBY = Nouns("tabby", ("tabby cat",), ("house cat", "cat", "feline", "animal"), "fur")
COAT = Nouns("cardigan", (), ("sweater", "garment"), "cloth")
BUS = Nouns("school bus", (), ("bus", "coach", "vehicle"), "paint")
GLASSES = Nouns("sunglasses", ("dark glasses",), ("glasses", "spectacles", "eyewear"), "object")
FOOD = Nouns("ice cream", (), ("frozen dessert", "treat"), "food")


# --- sentences


def appearance(**given: object) -> Appearance:
    usual: dict[str, object] = {
        "colours": (Colour("orange", "orange", 0.5), Colour("black", "black", 0.3)),
        "accents": (Colour("bright blue", "blue", 0.06),),
        "surroundings": (Colour("light grey", "grey", 0.6), Colour("olive", "green", 0.3)),
        "light": "",
        "pattern": "",
        "setting": "",
        "size": "",
        "shape": "",
        "place": "",
    }
    return Appearance(**{**usual, **given})  # type: ignore[arg-type]


def many(seen: Appearance, nouns: Nouns, count: int = 400) -> list[str]:
    rng = random.Random(0)
    return [describe(seen, nouns, rng) for _ in range(count)]


def every_look() -> list[Appearance]:
    """One appearance for each word that the analysis can give."""
    looks = [appearance(), appearance(accents=()), appearance(surroundings=())]
    looks += [appearance(colours=(Colour("dark red", "red", 0.9),), accents=())]
    words = {
        "light": phrases.LIGHTS,
        "pattern": phrases.PATTERNS,
        "setting": [*phrases.SETTINGS, "", "plain", "blurred", "busy"],
        "size": phrases.SIZE_WORDS,
        "shape": phrases.SHAPE_WORDS,
        "place": ("left", "top"),
    }
    return looks + [appearance(**{slot: word}) for slot, known in words.items() for word in known]


@pytest.mark.parametrize("nouns", [TABBY, COAT, BUS, GLASSES, FOOD], ids=lambda n: n.name)
def test_every_caption_is_one_tidy_sentence(nouns: Nouns) -> None:
    for seen in every_look():
        for caption in many(seen, nouns, 60):
            assert re.fullmatch(r"[a-z]+(,? [a-z]+(-[a-z]+)?)*\.", caption), caption
            assert 3 <= len(caption.split()) <= 16, caption
            assert not re.search("distance|around|far away", caption), caption
            assert "background" not in caption
            assert not re.search(r"\ba (?=[aeiou])|\ban (?=[^aeiou])", caption), caption
            assert not re.search(r"\b(\w+) \1\b", caption), caption


@pytest.mark.parametrize("kind", sorted(phrases.COVERS))
def test_every_kind_of_thing_can_be_described(kind: str) -> None:
    nouns = Nouns("thing", (), ("object",), kind)
    assert len(set(many(appearance(), nouns, 200))) >= 8


def test_plural_and_mass_nouns_take_no_article() -> None:
    for caption in many(appearance(), GLASSES) + many(appearance(), FOOD):
        wrong = r"\b(a|an|one|this|there is) [a-z ]*\b(glasses|spectacles|eyewear|ice cream)\b"
        assert "pair of" in caption or not re.match(wrong, caption), caption
        assert not re.search(r"glasses (is|has)\b", caption), caption


def test_the_own_name_stands_in_a_quarter() -> None:
    captions = many(appearance(), BUS, 2000)
    share = sum("school bus" in caption for caption in captions) / 2000
    assert 0.2 < share < 1 / 3


def test_a_name_that_begins_with_the_colour_is_not_said_twice() -> None:
    seen = appearance(colours=(Colour("black", "black", 0.9),))
    nouns = Nouns("black widow", (), ("spider", "animal"), "body")
    assert not any("black widow" in caption for caption in many(seen, nouns))


def test_the_objects_colour_comes_before_its_surroundings_and_is_right() -> None:
    picture = on(flat(60, 130, 60), 200, 30, 40)
    seen = analyse(picture, MIDDLE)
    mask = full_masks(MIDDLE[None], (56, 56))[0]
    for nouns in (TABBY, COAT, BUS, GLASSES, FOOD):
        for caption in many(seen, nouns):
            assert colour_is_right(caption, family_shares(picture, mask)), caption
            assert re.match(r"([a-z]+,? ){0,8}red\b", caption), caption


def test_a_vivid_part_is_the_second_colour() -> None:
    salamander = appearance(
        colours=(Colour("dark grey", "grey", 0.5), Colour("brown", "brown", 0.2)),
        accents=(Colour("yellow", "yellow", 0.1),),
        largest=("grey", "brown"),
    )
    captions = many(salamander, TABBY)
    assert all("grey" in caption and "yellow" in caption for caption in captions)
    assert not any("brown" in caption for caption in captions)
    assert all(caption.index("grey") < caption.index("yellow") for caption in captions)


def test_the_largest_colour_comes_first() -> None:
    colours = (Colour("red", "red", 0.2), Colour("green", "green", 0.3))
    for largest, first in (
        ((), "red"),
        (("green", "red"), "green"),
        (("red", "green"), "red"),
        (("black", "green"), "green"),
        (("blue", "pink"), "blue"),
    ):
        seen = appearance(colours=colours, accents=(), largest=largest, surroundings=())
        for caption in many(seen, TABBY, 50):
            found = re.search("red|green|blue|pink", caption)
            assert found is not None and found[0] == first, (caption, largest)


def test_painters_colours_are_said_plainly() -> None:
    seen = appearance(colours=(Colour("dusty pink", "pink", 0.9),), accents=(), surroundings=())
    assert not any("dusty" in caption for caption in many(seen, COAT))
    palette_names = set(palette().names)
    assert set(phrases.PLAINER) <= palette_names


def test_dark_surroundings_are_dark_and_not_black() -> None:
    seen = analyse(on(flat(8, 8, 8), 230, 200, 40), MIDDLE)
    captions = many(seen, TABBY)
    assert not any("black" in caption for caption in captions)
    dark = sum(bool(re.search("dark|shad|dim", caption)) for caption in captions)
    assert 0 < dark < len(captions) * 0.6


def test_the_grammar_has_many_shapes() -> None:
    """Count sentences with their nouns and colours blanked out."""
    shapes: Counter[Any] = Counter()
    for seen in every_look():
        for caption in many(seen, TABBY, 200):
            bare = re.sub(r"\b(house cat|tabby( cat)?|cat|feline|animal)\b", "N", caption)
            bare = re.sub(
                r"\b(orange|black|bright blue|light grey|grey|olive|dark red)\b", "C", bare
            )
            shapes[re.sub(r"\ban\b", "a", re.sub(r"C(, C)*( and C)?", "C", bare))] += 1
    assert len(shapes) > 150


def test_a_pattern_is_said_when_there_is_one() -> None:
    said = sum("striped" in caption for caption in many(appearance(pattern="striped"), TABBY))
    assert said > 100


def test_numpy_draws_as_well() -> None:
    seen = appearance()
    assert describe(seen, TABBY, np.random.default_rng(5)) == describe(
        seen, TABBY, np.random.default_rng(5)
    )
