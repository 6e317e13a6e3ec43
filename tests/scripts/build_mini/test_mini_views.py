import random

import numpy as np
from PIL import Image

from scripts.build_mini.assemble import SIZE
from scripts.build_mini.views import of_people, plain, varied

BOX = (20, 8, 44, 40)


def photo() -> Image.Image:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = (250, 240, 230)
    return Image.fromarray(pixels)


def test_the_plain_view_is_the_whole_photo() -> None:
    view = plain(photo(), BOX)
    assert view.pixels.shape == (SIZE, SIZE, 3)
    assert view.box == (20 / 64, 8 / 64, 44 / 64, 40 / 64)


def test_the_box_follows_crops_and_mirroring() -> None:
    boxes = set()
    for seed in range(40):
        view = varied(photo(), BOX, random.Random(seed))
        x0, y0, x1, y1 = view.box
        assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
        light = view.pixels.astype(float).mean(2)
        left, top, right, bottom = (round(edge * SIZE) for edge in view.box)
        inside = light[top + 3 : bottom - 3, left + 3 : right - 3]
        outside = light.copy()
        outside[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3] = 0
        assert inside.mean() > 100 > outside.max()
        boxes.add(view.box)
    assert len(boxes) > 30


def test_a_view_depends_on_its_seed_alone() -> None:
    first, second = (varied(photo(), BOX, random.Random("a.JPEG")) for _ in range(2))
    assert first.box == second.box
    assert np.array_equal(first.pixels, second.pixels)


def test_some_views_are_grey_or_recoloured() -> None:
    colourful = Image.new("RGB", (64, 64), (200, 60, 30))
    means = [varied(colourful, BOX, random.Random(s)).pixels.mean((0, 1)) for s in range(80)]
    grey = [np.ptp(mean) < 1 for mean in means]
    same = [np.allclose(mean, (200, 60, 30), atol=1) for mean in means]
    assert 0 < np.mean(grey) < 0.2
    assert 0.2 < np.mean(same) < 0.6


def test_photos_of_people_are_shown_whole_small_or_varied() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 176, 3), np.uint8)
    wide = Image.fromarray(pixels)
    middle, small, crop, small_crop = (
        of_people(wide, turn, random.Random(turn)).pixels.astype(float) for turn in range(4)
    )
    square = wide.crop((28, 0, 148, 120)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    assert np.array_equal(middle, np.asarray(square, float))
    # Noise that went through 64 pixels is smooth.
    rough = [np.abs(np.diff(view, axis=1)).mean() for view in (middle, small, crop, small_crop)]
    assert max(rough[1], rough[3]) < min(rough[0], rough[2])
