"""Appearance captions: colours against plain formulas and made pictures, sentences as English."""

import io
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from scripts.build_mini.appearance import (
    Appearance,
    Colour,
    Nouns,
    analyse,
    analyse_batch,
    colour_is_right,
    colour_words,
    describe,
    first_colour_is_large,
    full_masks,
    nouns_for,
    phrases,
)
from scripts.build_mini.appearance.coarse import COARSE, MASS, PLURAL
from scripts.build_mini.appearance.colours import FAMILIES, cells, palette, rgb_to_lab, table
from scripts.build_mini.appearance.wordnet import number
from scripts.build_mini.appearance.words import of_the_object

Pixels = NDArray[np.uint8]
MIDDLE = np.array([0.25, 0.25, 0.75, 0.75])
TABBY = Nouns("tabby", ("tabby cat",), ("house cat", "cat", "feline", "animal"), "fur")
COAT = Nouns("cardigan", (), ("sweater", "garment"), "cloth")
BUS = Nouns("school bus", (), ("bus", "coach", "vehicle"), "paint")
GLASSES = Nouns("sunglasses", ("dark glasses",), ("glasses", "spectacles", "eyewear"), "object")
FOOD = Nouns("ice cream", (), ("frozen dessert", "treat"), "food")


def flat(*rgb: int, side: int = 56) -> Pixels:
    return np.full((side, side, 3), rgb, np.uint8)


def on(ground: Pixels, *rgb: int) -> Pixels:
    """Paint the middle square."""
    picture = ground.copy()
    picture[14:42, 14:42] = rgb
    return picture


def lab_by_hand(r: int, g: int, b: int) -> tuple[float, float, float]:
    """CIE Lab under D65 in the textbook's way, one number at a time."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    x = 0.4124564 * linear[0] + 0.3575761 * linear[1] + 0.1804375 * linear[2]
    y = 0.2126729 * linear[0] + 0.7151522 * linear[1] + 0.0721750 * linear[2]
    z = 0.0193339 * linear[0] + 0.1191920 * linear[1] + 0.9503041 * linear[2]

    def f(t: float) -> float:
        return t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29

    fx, fy, fz = f(x / 0.95047), f(y), f(z / 1.08883)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


# --- colours


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_lab_is_the_textbooks(rgb: tuple[int, int, int]) -> None:
    assert np.allclose(rgb_to_lab(np.array(rgb) / 255), lab_by_hand(*rgb), atol=0.02)


def test_lab_of_pure_red() -> None:
    assert np.allclose(rgb_to_lab(np.array([1.0, 0, 0])), (53.24, 80.09, 67.20), atol=0.02)


@given(st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=50, deadline=None)
def test_a_pixels_name_is_that_of_the_nearest_prototype(rgb: tuple[int, int, int]) -> None:
    cell = int(cells(np.array(rgb, np.uint8)))
    middle = [(part // 4 + 0.5) * 4 / 255 * 255 / 256 * 255 for part in rgb]
    colours = palette()
    point = lab_by_hand(*middle)  # type: ignore[arg-type]
    distances = [
        0.6 * (point[0] - p[0]) ** 2 + (point[1] - p[1]) ** 2 + (point[2] - p[2]) ** 2
        for p in colours.lab.tolist()
    ]
    found = int(table().name[cell])
    best = min(d for d, name in zip(distances, colours.name, strict=True) if name == found)
    assert best <= min(distances) + 0.05 * (1 + min(distances))


@pytest.mark.parametrize(
    ("rgb", "family"),
    [
        ((10, 10, 10), "black"),
        ((128, 128, 128), "grey"),
        ((250, 250, 250), "white"),
        ((200, 30, 40), "red"),
        ((240, 130, 30), "orange"),
        ((245, 215, 40), "yellow"),
        ((50, 130, 50), "green"),
        ((40, 80, 200), "blue"),
        ((120, 50, 150), "purple"),
        ((240, 150, 180), "pink"),
        ((110, 70, 40), "brown"),
        ((205, 170, 125), "brown"),
        ((135, 190, 235), "blue"),
    ],
)
def test_plain_pictures_have_the_colour_everyone_sees(
    rgb: tuple[int, int, int], family: str
) -> None:
    seen = analyse(flat(*rgb), np.array([0.0, 0, 1, 1]))
    assert [colour.family for colour in seen.colours] == [family]
    assert seen.colours[0].share == 1
    assert seen.surroundings == ()


def test_every_name_is_known_to_the_checker_under_its_own_family() -> None:
    colours = palette()
    for name, family in zip(colours.names, colours.family_of_name, strict=True):
        swatch = colours.lab[colours.name == colours.names.index(name)]
        assert len(swatch), name
        said = colour_words(f"a {name} cat")
        assert said, name
        if name not in ("golden brown",):
            assert FAMILIES[family] in said or name in ("rust", "peach"), (name, said)


@pytest.mark.parametrize("rgb", [(200, 40, 40), (60, 120, 60), (60, 90, 180), (120, 80, 50)])
def test_names_are_stable_under_jpeg(rgb: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(0).integers(-12, 13, (56, 56, 3))
    noisy = np.clip(on(flat(230, 230, 225), *rgb) + noise, 0, 255).astype(np.uint8)
    names = set()
    for quality in (95, 75, 50):
        held = io.BytesIO()
        Image.fromarray(noisy).save(held, "JPEG", quality=quality)
        with Image.open(held) as image:
            names.add(analyse(np.asarray(image), MIDDLE).colours[0].family)
    clean = analyse(on(flat(230, 230, 225), *rgb), MIDDLE).colours[0].family
    assert names == {clean}


# --- what is the object, what is around it


def test_the_object_and_its_surroundings_are_told_apart() -> None:
    seen = analyse(on(flat(60, 130, 60), 200, 30, 40), MIDDLE)
    assert seen.colours[0].family == "red"
    assert seen.surroundings[0].family == "green"


def test_vivid_pixels_win_over_as_many_dull_ones() -> None:
    picture = flat(128, 124, 118)
    picture[:, np.arange(56) // 2 % 2 == 0] = (240, 200, 30)
    assert analyse(picture, np.array([0.0, 0, 1, 1])).colours[0].family == "yellow"


def test_a_small_vivid_part_is_an_accent() -> None:
    picture = on(flat(200, 200, 200), 30, 30, 30)
    picture[36:42, 30:42] = (230, 30, 30)
    seen = analyse(picture, MIDDLE)
    assert seen.colours[0].family == "black"
    assert [colour.family for colour in seen.accents] == ["red"]


def test_boxes_grids_and_masks_say_the_same() -> None:
    picture = on(flat(60, 130, 60), 200, 30, 40)
    grid = np.zeros((8, 8), bool)
    grid[2:6, 2:6] = True
    mask = np.zeros((56, 56), bool)
    mask[14:42, 14:42] = True
    assert analyse(picture, MIDDLE) == analyse(picture, grid) == analyse(picture, mask)


def test_an_empty_mask_means_the_whole_frame() -> None:
    assert full_masks(np.zeros((1, 8, 8), bool), (56, 56)).all()
    assert full_masks(np.array([[0.5, 0.5, 0.5, 0.5]]), (56, 56)).all()


def test_a_batch_says_what_each_alone_says() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (600, 8, 8, 3), np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    low = rng.uniform(0, 0.5, (600, 2))
    boxes = np.concatenate([low, low + 0.4], axis=1)
    seen = analyse_batch(pixels, boxes)
    assert len(seen) == 600
    for i in (0, 13, 511, 512, 599):
        assert seen[i] == analyse(pixels[i], boxes[i])


@pytest.mark.parametrize(
    ("box", "size", "shape", "place"),
    [
        ((0, 0, 1, 1), "close", "", ""),
        ((0.1, 0.1, 0.9, 0.9), "large", "", ""),
        ((0.4, 0.1, 0.6, 0.9), "", "tall", ""),
        ((0.05, 0.4, 0.95, 0.6), "", "wide", ""),
        ((0, 0.4, 0.2, 0.6), "small", "", "left"),
        ((0.8, 0.4, 1, 0.6), "small", "", "right"),
        ((0.4, 0, 0.6, 0.2), "small", "", "top"),
        ((0.4, 0.8, 0.6, 1), "small", "", "bottom"),
    ],
)
def test_size_shape_and_place_come_from_the_box(
    box: tuple[float, ...], size: str, shape: str, place: str
) -> None:
    seen = analyse(flat(90, 90, 90), np.array(box))
    assert (seen.size, seen.shape, seen.place) == (size, shape, place)


def stripes() -> Pixels:
    picture = flat(30, 30, 30)
    picture[np.arange(56) // 4 % 2 == 0] = (220, 220, 220)
    return picture


def speckles() -> Pixels:
    noise = np.random.default_rng(2).integers(0, 2, (56, 56, 1))
    return (60 + 120 * noise * np.ones(3)).astype(np.uint8)


def one_edge() -> Pixels:
    picture = flat(30, 30, 30)
    picture[:, 28:] = (220, 220, 220)
    return picture


@pytest.mark.parametrize(
    ("picture", "pattern"),
    [
        (stripes(), "striped"),
        (stripes().transpose(1, 0, 2), "striped"),
        (speckles(), "speckled"),
        (flat(90, 120, 90), "plain"),
        (one_edge(), ""),
    ],
)
def test_patterns_are_named_only_where_the_pixels_show_them(picture: Pixels, pattern: str) -> None:
    assert analyse(picture, np.array([0.0, 0, 1, 1])).pattern == pattern


def rough(*rgb: int, spread: int) -> Pixels:
    """Blocks of 2 pixels, lighter and darker."""
    steps = np.random.default_rng(3).integers(-spread, spread + 1, (28, 28, 1))
    steps = steps.repeat(2, axis=0).repeat(2, axis=1)
    return np.clip(np.array(rgb) + steps, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("ground", "setting"),
    [
        (flat(8, 8, 8), "dark"),
        (flat(250, 250, 250), "white"),
        (flat(120, 180, 235), "sky"),
        (flat(150, 60, 60), "plain"),
        (rough(60, 130, 50, spread=50), "leaves"),
        (rough(60, 130, 50, spread=14), "grass"),
        (rough(205, 170, 125, spread=16), "sand"),
        (rough(120, 90, 120, spread=90), "busy"),
    ],
)
def test_settings_come_from_the_pixels_outside(ground: Pixels, setting: str) -> None:
    assert analyse(on(ground, 200, 30, 40), MIDDLE).setting == setting


@pytest.mark.parametrize(
    ("picture", "light"),
    [
        (flat(12, 12, 12), "dark"),
        (flat(60, 60, 60), "dim"),
        (flat(230, 230, 230), "bright"),
        (one_edge(), "contrast"),
        (flat(120, 120, 120), "soft"),
    ],
)
def test_light(picture: Pixels, light: str) -> None:
    assert analyse(picture, MIDDLE).light == light


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


def test_colour_is_right() -> None:
    picture = on(flat(60, 130, 60), 200, 30, 40)
    mask = full_masks(MIDDLE[None], (56, 56))[0]
    assert colour_is_right("a red bus against green.", picture, mask) is True
    assert colour_is_right("a green bus against red.", picture, mask) is False
    assert colour_is_right("a black and red bus.", picture, mask) is True
    assert colour_is_right("a bus.", picture, mask) is None
    assert colour_is_right("a green bus.", picture, ~mask) is True
    assert colour_is_right("a red bus.", picture, np.zeros((56, 56), bool)) is False


def test_a_colour_is_right_from_its_least_share() -> None:
    picture = flat(60, 130, 60)
    picture[:, :8] = (200, 30, 40)  # one seventh
    mask = np.ones((56, 56), bool)
    assert colour_is_right("a red thing.", picture, mask) is False
    picture[:, 8] = (200, 30, 40)
    assert colour_is_right("a red thing.", picture, mask) is True


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
            assert colour_is_right(caption, picture, mask), caption
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


def test_one_of_the_largest_colours_comes_first() -> None:
    colours = (Colour("red", "red", 0.2), Colour("green", "green", 0.3))
    for largest, first in (((), "red"), (("green", "black"), "green"), (("blue", "pink"), "blue")):
        seen = appearance(colours=colours, accents=(), largest=largest, surroundings=())
        for caption in many(seen, TABBY, 50):
            found = re.search("red|green|blue|pink", caption)
            assert found is not None and found[0] == first, (caption, largest)


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
        assert first_colour_is_large(text, picture, mask) is right


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


# --- nouns


def write_nouns(folder: Path, lines: dict[int, str]) -> Path:
    """Write a data.noun with lines at byte offsets, as WordNet's own are."""
    with (folder / "data.noun").open("wb") as file:
        for offset, line in lines.items():
            file.seek(offset)
            file.write(f"{offset:08d} {line}\n".encode())
    return folder


@pytest.fixture()
def wordnet(tmp_path: Path) -> Path:
    """A tabby and its hypernyms; a hyponym and a part are pointers not to be followed."""
    return write_nouns(
        tmp_path,
        {
            15388: "03 n 01 animal 0 000 | a living thing",
            2120997: "05 n 02 feline 0 felid 0 001 @ 02075296 n 0000 | a cat",
            2075296: "05 n 01 carnivore 0 001 @ 00015388 n 0000 | flesh-eater",
            2121620: "05 n 01 cat 0 002 @ 02120997 n 0000 ~ 02124623 n 0000 | a cat",
            2123045: "05 n 02 tabby 0 tabby_cat 0 002 @ 02121620 n 0000 #p 09999999 n 0000 | grey",
        },
    )


def test_nouns_are_everyday_hypernyms_nearest_first(wordnet: Path) -> None:
    nouns = nouns_for("n02123045", "tabby, tabby cat, Felis catus", wordnet)
    assert nouns == Nouns("tabby", ("tabby cat",), ("cat", "feline", "animal", "creature"), "fur")


def test_the_name_itself_is_no_coarse_noun(wordnet: Path) -> None:
    assert nouns_for("n02123045", "cat, moggy", wordnet).coarse == ("feline", "animal", "creature")


def test_another_wordnet_is_refused(wordnet: Path) -> None:
    with pytest.raises(ValueError, match=r"WordNet 3\.0"):
        nouns_for("n02123046", "tabby", wordnet)


def test_the_table_of_nouns_is_sound() -> None:
    scholarly = {"placental", "vertebrate", "chordate", "instrumentality", "artifact", "whole"}
    for offset, (kind, nouns) in COARSE.items():
        assert re.fullmatch(r"\d{8}", offset)
        assert kind in phrases.COVERS, offset
        assert nouns and not scholarly & {*nouns}, offset
        assert all(re.fullmatch(r"[a-z]+([ -][a-z]+)*", noun) for noun in nouns), offset


def test_number_of_nouns() -> None:
    assert [number(noun) for noun in ("binoculars", "ice cream", "cat")] == [
        "plural",
        "mass",
        "count",
    ]
    assert not PLURAL & MASS
