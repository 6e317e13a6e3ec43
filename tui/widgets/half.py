"""Pictures of half-blocks, two pixels a cell, for terminals that can draw no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture


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
        # Cells are taken to be twice as high as wide: one pixel is half a cell.
        scale = min(width / picture.width, 2 * height / picture.height)
        columns = max(1, min(width, round(picture.width * scale)))
        rows = max(1, min(height, round(picture.height * scale / 2)))
        small = picture.convert("RGB").resize((columns, 2 * rows), Resampling.BOX)
        pixels = np.asarray(small)  # (2 rows, columns, 3)
        left, top = (width - columns) // 2, (height - rows) // 2
        style = self.rich_style
        blank = Strip.blank(width, style)
        lines = [
            Strip(
                [
                    Segment(" " * left, style),
                    *(
                        Segment("▀", Style(color=_colour(above), bgcolor=_colour(below)))
                        for above, below in zip(pixels[2 * y], pixels[2 * y + 1], strict=True)
                    ),
                    Segment(" " * (width - columns - left), style),
                ],
                width,
            )
            for y in range(rows)
        ]
        return [blank] * top + lines + [blank] * (height - rows - top)


def _colour(pixel: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Color:
    return Color.from_rgb(int(pixel[0]), int(pixel[1]), int(pixel[2]))


class NoPicture(HalfPicture):
    """The place of a picture that is not drawn."""

    def _draw(self, width: int, height: int) -> list[Strip]:
        return []
