"""Overlays, outlines, what a terminal answers, and what is imported."""

import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from db.records import Region
from mapcap.overlay import SIDE, decode, outlines, overlay, square
from tui.pictures import understood
from tui.texts import accuracy_bar, bar, safe


def grey(width: int, height: int) -> Pictures.Image:
    return Pictures.new("RGB", (width, height), (100, 100, 100))


def test_no_relevance_leaves_the_photo_and_strength_zero_too() -> None:
    photo = grey(40, 40)
    plain = square(photo).tobytes()
    assert overlay(photo, np.zeros((4, 4), np.float16), 1.0).tobytes() == plain
    assert overlay(photo, np.ones((4, 4), np.float16), 0.0).tobytes() == plain


def test_relevance_lands_where_it_is() -> None:
    grid = np.zeros((4, 4), np.float16)
    grid[0, 3] = 1
    drawn = np.asarray(overlay(grey(64, 64), grid, 1.0)).astype(int)
    changed = np.abs(drawn - 100).sum(axis=2)
    y, x = np.unravel_index(changed.argmax(), changed.shape)
    assert y < SIDE / 4
    assert x > 3 * SIDE / 4
    assert changed[SIDE // 2 :, : SIDE // 2].max() == 0


def test_the_centre_square_of_a_wide_photo_is_drawn() -> None:
    photo = Pictures.new("RGB", (120, 40), (255, 0, 0))
    photo.paste((0, 0, 255), (40, 0, 80, 40))
    assert square(photo).getpixel((0, 0))[2] > 200  # type: ignore[index]
    assert square(photo).getpixel((SIDE - 1, SIDE - 1))[2] > 200  # type: ignore[index]


@given(value=st.sampled_from([np.nan, np.inf, -np.inf, -3.0, 7.0]))
@settings(max_examples=5, deadline=None)
def test_a_damaged_grid_is_drawn_all_the_same(value: float) -> None:
    assert overlay(grey(10, 10), np.full((3, 3), value, np.float16), 0.5).size == (SIDE, SIDE)


def test_outlines_follow_the_mask() -> None:
    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    region = Region(1, 1, "p", 1, "c", True, "true", 1, (0, 0, 1, 1), 0.25, 0.5,
                    mask[::8, ::8], mask, None, None, None, None)  # fmt: skip
    drawn = np.asarray(outlines(grey(64, 64), [region], ["#ff0000"]))
    red = (drawn == [255, 0, 0]).all(axis=2)
    scale = SIDE // 32
    assert red[8 * scale, 16 * scale]
    assert not red[16 * scale, 16 * scale]
    assert not red[: 8 * scale].any()


def test_a_damaged_thumbnail_is_none() -> None:
    file = BytesIO()
    grey(8, 8).save(file, "WEBP")
    assert decode(file.getvalue()) is not None
    assert decode(b"RIFF nothing") is None
    assert decode(None) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c", "kitty"),
        (b"\x1b[?62;4;22c", "sixel"),
        (b"\x1b[?1;2c", "half"),
        (b"\x1b[?64;14;24c", "half"),
        (b"\x1b_Gi=31;ENOENT\x1b\\\x1b[?1;2c", "half"),
        (b"", "half"),
        (b"j\x00\xff", "half"),
    ],
)
def test_terminals_answers(answer: bytes, kind: str) -> None:
    assert understood(answer) == kind


@given(st.text(), st.integers(1, 60))
def test_text_is_harmless(text: str, longest: int) -> None:
    shown = safe(text, longest=longest).plain
    assert len(shown) <= longest + 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)


@given(st.floats(-2, 3), st.integers(2, 40))
def test_bars_are_as_wide_as_asked(value: float, width: int) -> None:
    assert bar(value, width).cell_len == width
    share = min(max(value, 0.0), 1.0)
    assert accuracy_bar(share, share / 2, 1.0, width).cell_len == width


def test_browsing_loads_no_network_library() -> None:
    heavy = ["torch", "open_clip", "transformers", "scipy", "safetensors"]
    # These are for the screens that come after the first.
    heavy += ["sqlalchemy", "numpy", "PIL"]
    # These are for the commands.
    heavy += ["mapcap.cli", "mapcap.commands"]
    code = f"import sys, tui.app; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_picture_shows_what_the_network_saw() -> None:
    wide = Pictures.new("RGB", (300, 100), "#ff0000")
    wide.paste("#00ff00", (100, 0, 200, 100))
    cut, padded, squashed = (square(wide, mode) for mode in ("shortest", "longest", "squash"))
    middle = SIDE // 2
    assert {cut.getpixel((x, middle)) for x in (1, middle, SIDE - 2)} == {(0, 255, 0)}
    assert padded.getpixel((middle, 1)) == (0, 0, 0)
    for whole in (padded, squashed):
        ends = [whole.getpixel((x, middle)) for x in (1, middle, SIDE - 2)]
        assert ends == [(255, 0, 0), (0, 255, 0), (255, 0, 0)]
