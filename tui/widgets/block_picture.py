"""Pictures of block characters, for terminals that can draw no others.

A cell has two colours: in true colour they go to its quarters, of which any may have either; in 256
colours to its upper and lower half, and neighbours mix what lies between the colours.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

    Pixels = NDArray[np.uint8]


# The colours that every terminal of 256 has alike: a cube of six shades each, and greys.
_SHADES: Final = (0, 95, 135, 175, 215, 255)
_GREYS: Final = range(8, 248, 10)


def dithered(picture: Picture) -> Picture:
    """Return a picture in the colours of a terminal that has 256, mixed by their neighbours."""
    from PIL import Image

    cube = [value for each in product(_SHADES, repeat=3) for value in each]
    greys = [grey for grey in _GREYS for _ in range(3)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(cube + greys)
    mixed = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    return mixed.convert("RGB")


# By the quarters that have the cell's ink: 1 the upper left, 2 the upper right, 4 the lower left.
_GLYPHS: Final = " ▘▝▀▖▌▞▛"
_UPPER: Final = 3


def quartered(pixels: Pixels) -> tuple[NDArray[np.int64], Pixels, Pixels]:
    """Divide pixels (2 rows, 2 columns, 3) into cells of two colours, as like them as may be.

    Returns the number of each cell's glyph (rows, columns), its ink and its paper (both with 3).
    """
    import numpy as np

    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    # (rows, columns, 4, 3): the quarters of each cell
    quarters = pixels.reshape(rows, 2, columns, 2, 3).transpose(0, 2, 1, 3, 4)
    quarters = quarters.reshape(rows, columns, 4, 3).astype(np.float32)
    best = np.full((rows, columns), np.inf)
    glyphs = np.zeros((rows, columns), np.int64)
    ink, paper = np.zeros((2, rows, columns, 3), np.uint8)
    for glyph in range(len(_GLYPHS)):
        inked = np.array([bool(glyph & 1), bool(glyph & 2), bool(glyph & 4), False])
        low = quarters[:, :, ~inked].mean(axis=2)
        high = quarters[:, :, inked].mean(axis=2) if glyph else low
        drawn = np.where(inked[:, None], high[:, :, None], low[:, :, None])
        error = ((drawn - quarters) ** 2).sum(axis=(2, 3))
        better = error < best
        best[better], glyphs[better] = error[better], glyph
        ink[better], paper[better] = high[better].round(), low[better].round()
    return glyphs, ink, paper


class HalfPicture(Widget):
    """A picture as large as the widget allows, in its own proportions, at its centre."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._image: Picture | None = None
        self._strips: list[Strip] = []
        self._drawn_for: tuple[int, int] | None = None

    @property
    def image(self) -> Picture | None:
        """The picture shown; None shows nothing."""
        return self._image

    @image.setter
    def image(self, picture: Picture | None) -> None:
        self._image = picture
        self._drawn_for = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of cells."""
        size = (self.size.width, self.size.height)
        if self._drawn_for != size:
            self._strips = self._draw(*size)
            self._drawn_for = size
        return self._strips[y] if y < len(self._strips) else Strip.blank(size[0], self.rich_style)

    def _draw(self, width: int, height: int) -> list[Strip]:
        # Loaded with the first picture: the first screen has none.
        import numpy as np
        from PIL.Image import Resampling

        picture = self._image
        if picture is None or not width or not height:
            return []
        # Cells are taken to be twice as high as wide.
        scale = min(width / picture.width, 2 * height / picture.height)
        columns = max(1, min(width, round(picture.width * scale)))
        rows = max(1, min(height, round(picture.height * scale / 2)))
        few = self.app.console.color_system == "256"
        small = picture.convert("RGB").resize(
            (columns if few else 2 * columns, 2 * rows), Resampling.BOX
        )
        if few:
            pixels = np.asarray(dithered(small))  # (2 rows, columns, 3)
            upper, lower = pixels[::2], pixels[1::2]
            glyphs = np.full((rows, columns), _UPPER)
        else:
            glyphs, upper, lower = quartered(np.asarray(small))
        # As plain numbers, all at once: a conversion a cell takes longer than the drawing.
        shapes, inks, papers = glyphs.tolist(), upper.tolist(), lower.tolist()
        left, top = (width - columns) // 2, (height - rows) // 2
        style = self.rich_style
        blank = Strip.blank(width, style)
        lines = [
            Strip(
                [
                    Segment(" " * left, style),
                    *(
                        Segment(_GLYPHS[shape], Style.from_color(_colour(ink), _colour(paper)))
                        for shape, ink, paper in zip(shapes[y], inks[y], papers[y], strict=True)
                    ),
                    Segment(" " * (width - columns - left), style),
                ],
                width,
            )
            for y in range(rows)
        ]
        return [blank] * top + lines + [blank] * (height - rows - top)


def _colour(pixel: list[int]) -> Color:
    return Color.from_triplet(ColorTriplet(*pixel))


class NoPicture(HalfPicture):
    """The place of a picture that is not drawn."""

    def _draw(self, width: int, height: int) -> list[Strip]:
        return []
