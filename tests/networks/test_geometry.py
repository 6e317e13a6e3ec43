from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from mapcap.networks.geometry import View

MODES = ["shortest", "longest", "squash"]
sides = st.integers(20, 300)


def ramp(width: int, height: int) -> Image.Image:
    """A picture whose red says x and whose green says y, each from 0 to 250 over its side."""
    x = np.broadcast_to((np.arange(width) + 0.5) / width * 250, (height, width))
    y = np.broadcast_to(((np.arange(height) + 0.5) / height * 250)[:, None], (height, width))
    pixels = np.stack([x, y, np.full((height, width), 255.0)], -1)
    return Image.fromarray(pixels.round().astype(np.uint8))


def seen(size: int | tuple[int, int], mode: str, width: int, height: int) -> Any:
    """What open_clip's own transform makes of the ramp: (3, H, W) in 0 to 255."""
    config = PreprocessCfg(
        size=size, resize_mode=mode, mean=(0.0,) * 3, std=(1.0,) * 3, interpolation="bilinear"
    )
    return image_transform_v2(config, is_train=False)(ramp(width, height)).numpy() * 255


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [112, 51, (64, 96), (96, 65)])
@pytest.mark.parametrize("shape", [(64, 64), (200, 151), (75, 290), (41, 40), (333, 120)])
def test_the_pixels_of_the_real_transform_are_where_the_view_says(
    mode: str, size: int | tuple[int, int], shape: tuple[int, int]
) -> None:
    width, height = shape
    view = View.of({"size": size, "resize_mode": mode}, width, height)
    red, green, blue = seen(size, mode, width, height)
    rows, columns = view.input
    assert blue.shape == (rows, columns)
    inside = blue > 254  # neither padding nor its edge
    assert inside.any()
    x = [sum(view.to_original((c, 0, c + 1, rows))[::2]) / 2 for c in range(columns)]
    y = [sum(view.to_original((0, r, columns, r + 1))[1::2]) / 2 for r in range(rows)]
    off_x = np.abs(red / 250 * width - np.array(x)[None])[inside].max()
    off_y = np.abs(green / 250 * height - np.array(y)[:, None])[inside].max()
    # Colours are rounded twice; at the picture's edge the filter has only one side to look at.
    assert off_x < width / 250 + 0.3 * max(width / view.resized[1], 1) + 0.3
    assert off_y < height / 250 + 0.3 * max(height / view.resized[0], 1) + 0.3


def test_a_square_view_of_a_wide_picture_is_its_middle() -> None:
    view = View.of({"size": 112, "resize_mode": "shortest"}, 448, 224)
    assert (view.resized, view.offset, view.input) == ((112, 224), (0, 56), (112, 112))
    assert view.window == (112, 0, 336, 224)
    assert view.to_original((0, 0, 112, 56)) == (112, 0, 336, 112)
    assert view.from_original((112, 0, 336, 112)) == (0, 0, 112, 56)


def test_what_the_crop_cuts_off_has_no_area() -> None:
    view = View.of({"size": 112}, 448, 224)
    x0, y0, x1, y1 = view.from_original((0, 10, 100, 200))
    assert (x0, x1) == (0, 0)
    assert y1 > y0


def test_padding_lies_outside_the_picture() -> None:
    view = View.of({"size": 112, "resize_mode": "longest"}, 200, 100)
    assert (view.resized, view.offset) == ((56, 112), (-28, 0))
    assert view.window == pytest.approx((0, -50, 200, 150))
    assert view.to_original((0, 0, 112, 112)) == pytest.approx((0, 0, 200, 100))
    assert view.to_original((0, 0, 112, 28))[3] == 0


@given(
    mode=st.sampled_from(MODES),
    width=sides,
    height=sides,
    corners=st.lists(st.floats(0, 112), min_size=4, max_size=4),
)
def test_boxes_come_back(mode: str, width: int, height: int, corners: list[float]) -> None:
    view = View.of({"size": 112, "resize_mode": mode}, width, height)
    box = (min(corners[:2]), min(corners[2:]), max(corners[:2]), max(corners[2:]))
    there = view.to_original(box)
    inside = view.from_original((0, 0, width, height))
    assume(box[0] >= inside[0] and box[1] >= inside[1])
    assume(box[2] <= inside[2] and box[3] <= inside[3])
    assert view.from_original(there) == pytest.approx(box, abs=1e-9)
    assert 0 <= there[0] <= there[2] <= width
    assert 0 <= there[1] <= there[3] <= height


def test_unknown_modes_and_empty_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="crooked"):
        View.of({"size": 112, "resize_mode": "crooked"}, 10, 10)
    with pytest.raises(ValueError, match="0 x 10"):
        View.of({"size": 112}, 0, 10)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(64, 64), (200, 151), (75, 290)])
def test_what_is_cut_of_a_smaller_copy_is_what_the_network_sees(
    mode: str, shape: tuple[int, int]
) -> None:
    width, height = shape
    view = View.of({"size": 48, "resize_mode": mode}, 4 * width, 4 * height)
    real = seen(48, mode, width, height).transpose(1, 2, 0)
    cut = view.cut(ramp(width, height), (48, 48))
    inside = (cut[..., 2] > 254) & (real[..., 2] > 254)
    assert inside.mean() > (0.2 if mode == "longest" else 0.95)
    assert np.abs(cut - real)[inside].max() < 12  # of 250 from edge to edge: two pixels and a half
