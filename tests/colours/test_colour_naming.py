"""Names of colours, against the textbook and against plain pictures."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapcap.colours import FAMILIES, colour_words
from mapcap.colours.naming import cells, palette, rgb_to_lab, table
from scripts.build_mini.appearance import analyse
from tests.scripts.build_mini.appearance.painting import MIDDLE, flat, on


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
