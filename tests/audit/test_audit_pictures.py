"""Backgrounds and watermarks: planted ones are found and measured, ordinary ones are not."""

import numpy as np
import pytest
from scipy import ndimage

from mapcap.audit.colours import colour_name, lab
from mapcap.audit.grounds import ground_of_box, ground_of_maps
from mapcap.audit.kinds.background import background_properties, find_background
from mapcap.audit.kinds.watermark import find_watermark, place_histogram
from mapcap.regions import upsample
from mapcap.stats import hypergeometric

SIDE = 32


def test_lab_of_known_colours() -> None:
    """Lindbloom's values for sRGB primaries under D65."""
    found = lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255], [128, 128, 128]]))
    expected = [
        [100, 0, 0],
        [0, 0, 0],
        [53.24, 80.09, 67.20],
        [32.30, 79.19, -107.86],
        [53.59, 0, 0],
    ]
    assert found == pytest.approx(np.array(expected), abs=0.02)


def test_colours_have_their_names() -> None:
    named = {
        "red": (200, 20, 25),
        "black": (10, 12, 9),
        "blue": (30, 60, 220),
        "lime": (150, 235, 25),
    }
    for name, rgb in named.items():
        assert colour_name(np.array(rgb)) == name


def grounds(count: int) -> np.ndarray:
    """Where the backgrounds of `scenes` are, for the most part."""
    return np.tile(ground_of_box((0.3, 0.3, 0.7, 0.7), SIDE), (count, 1, 1))


def scenes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Backgrounds of any colour with a little texture, and a grey object in the middle."""
    ground = rng.integers(0, 256, (count, 1, 1, 3)) + rng.normal(0, 8, (count, SIDE, SIDE, 1))
    ground[:, 10:22, 10:22] = rng.integers(100, 156, (count, 1, 1, 1))
    return ground.clip(0, 255).astype(np.uint8)


def test_properties_are_those_of_the_pixels_outside_the_object() -> None:
    picture = np.full((1, SIDE, SIDE, 3), 255, np.uint8)
    picture[:, 10:22, 10:22] = (255, 0, 0)
    found = background_properties(picture, grounds(1))
    assert found[0] == pytest.approx([100, 0, 0, 0, 0], abs=0.02)
    assert background_properties(picture[:0], grounds(0)).shape == (0, 5)


def test_nothing_is_known_where_the_object_fills_the_frame() -> None:
    picture = np.full((1, SIDE, SIDE, 3), 255, np.uint8)
    full = ground_of_box((0.02, 0.02, 0.98, 0.98), SIDE)
    assert np.isnan(background_properties(picture, full[None])).all()


def test_a_lemon_is_no_yellow_background() -> None:
    """Fifty yellow things on a ground as yellow, from outside the box: other classes are grey."""
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 3, (50, SIDE, SIDE, 3))
    lemons = (noise + np.array([235, 205, 50])).clip(0, 255).astype(np.uint8)
    others = scenes(rng, 300)
    elsewhere = background_properties(others, grounds(300))
    assert np.isnan(background_properties(lemons, grounds(50))[:, :4]).all()
    found = find_background(background_properties(lemons, grounds(50)), elsewhere)
    assert found is None or found.quality == "texture"
    on_blue = lemons.copy()
    on_blue[grounds(50)] = (40, 70, 210)
    found = find_background(background_properties(on_blue, grounds(50)), elsewhere)
    assert found is not None and found.having.all() and found.judged == 50
    assert (found.quality, found.word) in {("blue-yellow", "blue"), ("colourfulness", "colourful")}


def test_the_ground_is_outside_the_box_grown_by_a_tenth() -> None:
    """Pixels 8 to 24 of 32 are the box; a tenth of 16 to each side makes that 6.4 to 25.6."""
    ground = ground_of_box((0.25, 0.25, 0.75, 0.75), 32)
    assert np.flatnonzero(~ground.any(0)).size == 0
    assert np.flatnonzero(~ground[16]).tolist() == list(range(6, 26))
    assert ground[:6].all() and ground[26:].all()


def test_without_a_box_the_ground_is_far_from_the_maps_of_both_roles() -> None:
    """Patches of 8 pixels: one corner for the true class, another for the predicted one."""
    first, second = np.zeros((4, 4)), np.zeros((4, 4))
    first[0, 0], second[3, 3] = 1, 1
    one, both = ground_of_maps([first], 32), ground_of_maps([first, second], 32)
    assert not one[:8, :8].any() and one[24:, 24:].all()
    assert not both[:8, :8].any() and not both[24:, 24:].any() and both[:8, 24:].all()
    salient = upsample(first, (32, 32)) >= upsample(first, (32, 32)).mean()
    far = ndimage.distance_transform_cdt(~salient, metric="chessboard") > 3
    assert np.array_equal(one, far), "three pixels, a tenth of the side, on each side"
    assert not ground_of_maps([np.ones((4, 4))], 32).any(), "a flat map knows of no background"


def test_a_planted_dark_background_is_found_and_measured() -> None:
    rng = np.random.default_rng(0)
    own, others = scenes(rng, 50), scenes(rng, 400)
    own[:40] = np.where(own[:40] == own[:40, 16:17, 16:17], own[:40], own[:40] // 8)
    found = find_background(
        background_properties(own, grounds(50)), background_properties(others, grounds(400))
    )
    assert found is not None
    assert found.quality == "brightness" and found.word == "dark"
    assert found.having[:40].all() and found.share >= 0.8
    assert found.share_elsewhere <= 0.2 and found.deviations < -1 and found.p < 1e-6


def test_shares_and_p_by_hand() -> None:
    """Ten values all below the fifty others: share 1 against 0, D = 1, nm / (n + m) = 500 / 60."""
    own, others = np.zeros((10, 5)), np.ones((50, 5))
    own[:, 1:] = others[:10, 1:]
    own[:, 0] = np.linspace(-2, -1, 10)
    others[:, 0] = np.linspace(0, 1, 50)
    found = find_background(own, others)
    assert found is not None and found.word == "dark"
    assert (found.share, found.share_elsewhere) == (1, 0) and found.threshold == -1
    assert found.p == pytest.approx(10 * np.exp(-2 * 500 / 60))
    assert found.deviations == pytest.approx((-1.5 - 0.5) / others[:, 0].std())


def test_a_class_like_the_others_has_no_pronounced_background() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        found = find_background(
            background_properties(scenes(rng, 40), grounds(40)),
            background_properties(scenes(rng, 400), grounds(400)),
        )
        assert found is None or found.p > 0.01 or found.excess < 0.3


def test_backgrounds_need_both_sides() -> None:
    some = np.ones((3, 5))
    assert find_background(some[:0], some) is None
    assert find_background(some, some[:0]) is None
    unknown = np.full((3, 5), np.nan)
    assert find_background(unknown, some) is None and find_background(some, unknown) is None
    assert find_background(some, some) is None


def with_mark(rng: np.random.Generator, pictures: np.ndarray, count: int) -> np.ndarray:
    """A magenta square, five pixels wide, in the top right corner, shifted by up to one pixel."""
    marked = pictures.copy()
    for picture in marked[:count]:
        top, left = 2 + rng.integers(2), 24 + rng.integers(2)
        picture[top : top + 5, left : left + 5] = (225, 25, 195)
    return marked


@pytest.mark.parametrize("count", [50, 40, 30])
def test_a_planted_mark_is_found_and_measured(count: int) -> None:
    rng = np.random.default_rng(2)
    own, others = with_mark(rng, scenes(rng, 50), count), scenes(rng, 300)
    found = find_watermark(own, others, place_histogram(others))
    assert found is not None
    assert found.colour == "magenta" and found.place == "top right"
    assert found.having.tolist() == [True] * count + [False] * (50 - count)
    assert found.share_elsewhere < 0.02 and found.p < 1e-6
    x0, y0, x1, y1 = found.box
    assert 24 / SIDE <= x0 < x1 <= 30 / SIDE and 2 / SIDE <= y0 < y1 <= 8 / SIDE


def test_colours_at_a_place_are_counted_over_any_number_of_pictures() -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (1100, 2, 3, 3), np.uint8)
    found = place_histogram(pictures)  # (2, places, colours)
    for row, shift in enumerate((0, 21)):
        for place, (y, x) in enumerate(np.ndindex(2, 3)):
            bins = (pictures[:, y, x].astype(int) + shift) // 43
            expected = np.zeros((7, 7, 7), int)
            np.add.at(expected, tuple(bins.T), 1)
            assert np.array_equal(found[row, place], expected.ravel())


def test_fewer_than_ten_pictures_have_no_mark() -> None:
    rng = np.random.default_rng(8)
    own, others = with_mark(rng, scenes(rng, 10), 10), scenes(rng, 300)
    histogram = place_histogram(others)
    assert find_watermark(own[:9], others, histogram) is None
    found = find_watermark(own, others, histogram)
    assert found is not None and found.p < 1e-6


def test_the_family_of_a_mark_is_all_places_and_colours() -> None:
    rng = np.random.default_rng(9)
    own, others = with_mark(rng, scenes(rng, 12), 8), scenes(rng, 30)
    found = find_watermark(own, others, place_histogram(others))
    assert found is not None
    tail = hypergeometric(8, 12, 0, 30)
    assert found.p == pytest.approx(min(1.0, tail * SIDE * SIDE * 2 * 343))


def test_a_mark_everywhere_marks_no_class() -> None:
    rng = np.random.default_rng(3)
    own, others = (with_mark(rng, scenes(rng, count), count) for count in (50, 300))
    found = find_watermark(own, others, place_histogram(others))
    assert found is None or found.excess < 0.2


def test_a_background_and_an_object_are_no_marks() -> None:
    rng = np.random.default_rng(4)
    others = scenes(rng, 300)
    histogram = place_histogram(others)
    dark = scenes(rng, 50) // 10
    assert find_watermark(dark, others, histogram) is None
    same_object = scenes(rng, 50)
    same_object[:, 13:19, 13:19] = (225, 25, 195)
    assert find_watermark(same_object, others, histogram) is None
    assert find_watermark(scenes(rng, 50), others, histogram) is None
    assert find_watermark(dark[:0], others, histogram) is None


def test_how_much_relevance_falls_on_the_mark() -> None:
    rng = np.random.default_rng(5)
    own, others = with_mark(rng, scenes(rng, 50), 50), scenes(rng, 300)
    found = find_watermark(own, others, place_histogram(others))
    assert found is not None
    even = found.relevance(np.ones((1, 8, 8)))
    assert even[0] == pytest.approx(found.area)
    assert found.relevance(np.zeros((1, 8, 8)))[0] == 0
    corner = np.zeros((1, 8, 8))
    corner[0, 0, 7] = corner[0, 1, 6] = 1
    assert found.relevance(corner)[0] > even[0]


def test_histograms_add_up() -> None:
    pictures = scenes(np.random.default_rng(6), 7)
    whole = place_histogram(pictures)
    assert np.array_equal(whole, place_histogram(pictures[:3]) + place_histogram(pictures[3:]))
    assert (whole.sum(-1) == 7).all()
