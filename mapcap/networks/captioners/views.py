"""What a captioner that looks at pixels gets to see of a region: one of `REGION_VIEWS`."""

from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from mapcap.networks.geometry import Box, whole_pixels
from mapcap.representations import BLUR

_MARGIN: Final = 0.1
"""Of a box's sides, on each side of a crop: a thing is told by what is next to it, too."""
_INK: Final = (255, 0, 0)
_LINE: Final = 0.01
"""Width of the drawn line, share of the photo's longer side."""
_LONGEST: Final = 1024
"""Pixels: no captioner sees more of a whole photo, and batches of a camera's photos would not
fit."""


def show_region(photo: Image.Image, box: Box, view: str) -> Image.Image:
    """Return what a captioner is shown of a region of a photo (RGB).

    `box` is in pixels of the photo. `crop` is the box and a tenth of its sides around it; `blur`
    the whole photo, blurred outside of the box; `box` the whole photo with a red line around the
    box, which covers none of it. Whole photos come with at most 1,024 pixels a side.

    Raises:
        ValueError: `view` is none of these.
    """
    if view == "crop":
        return photo.crop(_padded(box, photo.size))
    scale = min(1.0, _LONGEST / max(photo.size))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    whole = photo.resize(size, Image.Resampling.BICUBIC) if scale < 1 else photo.copy()
    x0, y0, x1, y1 = box
    inside = whole_pixels((x0 * scale, y0 * scale, x1 * scale, y1 * scale))
    match view:
        case "blur":
            blurred = whole.filter(ImageFilter.GaussianBlur(BLUR * max(size)))
            blurred.paste(whole.crop(inside), inside[:2])
            return blurred
        case "box":
            width = max(2, round(_LINE * max(size)))
            left, top, right, bottom = inside
            # The last pixel of a rectangle is drawn, too.
            outside = (left - width, top - width, right + width - 1, bottom + width - 1)
            ImageDraw.Draw(whole).rectangle(outside, outline=_INK, width=width)
            return whole
    raise ValueError(f"{view!r} is no view of a region")


def _padded(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    across, down = _MARGIN * (x1 - x0), _MARGIN * (y1 - y0)
    width, height = size
    return whole_pixels(
        (max(0, x0 - across), max(0, y0 - down), min(width, x1 + across), min(height, y1 + down))
    )
