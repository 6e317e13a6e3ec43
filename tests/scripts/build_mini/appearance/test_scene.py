"""An object and what is around it: colours, size, shape, pattern, setting and light."""

import numpy as np
import pytest

from scripts.build_mini.appearance import (
    analyse,
    analyse_batch,
    full_masks,
)
from tests.scripts.build_mini.appearance.painting import MIDDLE, Pixels, flat, on

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
