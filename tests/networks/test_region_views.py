"""What a captioner that looks at pixels is shown of a region, pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import check_captioner, show_region
from mapcap.networks.loading import check_networks

BOX = (10.0, 20.0, 60.0, 50.0)
INSIDE = np.s_[20:50, 10:60]


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """A board of black and white, 120 x 90: blurred it is grey, and none of it is red."""
    rows, columns = np.indices((90, 120)) // 2
    board = ((rows + columns) % 2 * 255).astype(np.uint8)
    return Image.fromarray(np.repeat(board[..., None], 3, axis=2))


def test_a_crop_is_the_box_with_a_margin_as_far_as_the_photo_goes(photo: Image.Image) -> None:
    shown = np.asarray(show_region(photo, BOX, "crop"))
    assert np.array_equal(shown, np.asarray(photo)[17:53, 5:65])
    corner = np.asarray(show_region(photo, (90.0, 0.0, 120.0, 20.0), "crop"))
    assert np.array_equal(corner, np.asarray(photo)[:22, 87:])


def test_the_rest_of_the_photo_is_blurred(photo: Image.Image) -> None:
    before, shown = np.asarray(photo), np.asarray(show_region(photo, BOX, "blur"))
    assert shown.shape == before.shape
    assert np.array_equal(shown[INSIDE], before[INSIDE])
    outside = np.ones(before.shape[:2], dtype=bool)
    outside[INSIDE] = False
    assert before[outside].std() > 127
    assert shown[outside].std() < 10


def test_a_line_runs_around_the_box_and_covers_none_of_it(photo: Image.Image) -> None:
    before, shown = np.asarray(photo), np.asarray(show_region(photo, BOX, "box"))
    red = (shown == (255, 0, 0)).all(2)
    expected = np.zeros_like(red)
    expected[18:52, 8:62] = True
    expected[INSIDE] = False
    assert np.array_equal(red, expected)
    assert np.array_equal(shown[~red], before[~red])
    assert not (before == (255, 0, 0)).all(2).any(), "the photo itself is left as it was"


@pytest.mark.parametrize("view", ["blur", "box"])
def test_a_large_photo_is_shown_smaller_with_the_region_in_its_place(view: str) -> None:
    photo = Image.new("RGB", (4096, 2048), "white")
    photo.paste("blue", (400, 800, 2000, 1600))
    shown = np.asarray(show_region(photo, (400.0, 800.0, 2000.0, 1600.0), view))
    assert shown.shape == (512, 1024, 3)
    assert (shown[204:396, 104:496] == (0, 0, 255)).all()
    assert (shown[:20] == 255).all()


def test_a_box_at_the_edges_is_shown(photo: Image.Image) -> None:
    whole = (0.0, 0.0, 120.0, 90.0)
    for view in ("blur", "box"):
        shown = np.asarray(show_region(photo, whole, view))
        assert np.array_equal(shown, np.asarray(photo))
    with pytest.raises(ValueError, match="no view"):
        show_region(photo, whole, "mask")


@pytest.mark.parametrize("captioner", ["mini", "phrases"])
@pytest.mark.parametrize("view", ["blur", "box"])
def test_captioners_that_see_no_pixels_are_refused_at_once(captioner: str, view: str) -> None:
    config = IndexConfig(photos="", captioner=captioner, region_view=view)
    with pytest.raises(UserError, match=f"--region-view {view}: --captioner {captioner} .*blip:"):
        check_networks(config)
    with pytest.raises(UserError, match="--region-view"):  # before the file is looked for
        check_captioner(IndexConfig(photos="", captioner="clipcap:no.pt", region_view=view))
