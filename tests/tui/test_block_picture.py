"""Pictures in block characters: what is drawn is as near the picture as a cell can be."""

import itertools

import numpy as np
from PIL import Image

from tui.widgets.block_picture import dithered, quartered

GLYPHS = " ▘▝▀▖▌▞▛"
QUARTERS = {" ": "....", "▘": "#...", "▝": ".#..", "▀": "##..", "▖": "..#.", "▌": "#.#.",
            "▞": ".##.", "▛": "###."}  # fmt: skip


def drawn(pixels: np.ndarray) -> np.ndarray:
    """Return the pixels that the terminal shows for the cells of a picture."""
    glyphs, ink, paper = quartered(pixels)
    shown = np.empty_like(pixels)
    for y, x in itertools.product(*map(range, glyphs.shape)):
        for n, quarter in enumerate(QUARTERS[GLYPHS[glyphs[y, x]]]):
            colour = ink[y, x] if quarter == "#" else paper[y, x]
            shown[2 * y + n // 2, 2 * x + n % 2] = colour
    return shown


def test_two_colours_in_any_quarters_are_drawn_as_they_are() -> None:
    one, other = [200, 30, 40], [10, 220, 90]
    cells = []
    for quarters in itertools.product([one, other], repeat=4):
        cells.append(np.array(quarters, np.uint8).reshape(2, 2, 3))
    picture = np.concatenate(cells, axis=1)
    assert (drawn(picture) == picture).all()


def test_no_cell_is_worse_than_a_half_block() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (8, 12, 3)).astype(np.uint8)
    halves = pixels.astype(float)
    halves = np.repeat((halves[:, ::2] + halves[:, 1::2]) / 2, 2, axis=1)

    def errors(shown: np.ndarray) -> np.ndarray:
        squares = ((shown.astype(float) - pixels) ** 2).sum(axis=2)
        return squares.reshape(4, 2, 6, 2).sum(axis=(1, 3))

    # Colours are whole numbers, means are not.
    assert (errors(drawn(pixels)) <= errors(halves) + 4).all()


def test_256_colours_are_those_of_the_terminal_and_mix_to_the_picture() -> None:
    grey = Image.new("RGB", (40, 40), (140, 100, 60))
    mixed = np.asarray(dithered(grey)).reshape(-1, 3)
    shades, greys = {0, 95, 135, 175, 215, 255}, set(range(8, 248, 10))
    for colour in {tuple(map(int, each)) for each in mixed}:
        assert set(colour) <= shades or (len(set(colour)) == 1 and colour[0] in greys)
    assert np.abs(mixed.mean(axis=0) - [140, 100, 60]).max() < 6
