"""Pictures inside the page: drawn, made small, and written as data URIs."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from markupsafe import Markup
from PIL.Image import Image as Picture
from PIL.Image import Resampling

from db.records import Region, Relevance
from mapcap.overlay import STRENGTH, colours, decode, outlines, overlay, square

SIDE: Final = 192
"""Pixels of a photo's side."""
SMALL: Final = 96
"""Pixels of the side of a finding's evidence."""
_QUALITY: Final = 68
_INK: Final = "#ffd166"


@dataclass(frozen=True)
class Drawer:
    """Draws thumbnails of a run; None where there is none, or a damaged one."""

    resize_mode: str

    def photo(self, thumbnail: bytes | None) -> Markup | None:
        """Return what the network saw of an image."""
        photo = decode(thumbnail)
        return None if photo is None else uri(square(photo, self.resize_mode, SIDE), SIDE)

    def overlay(self, thumbnail: bytes | None, relevance: Relevance | None) -> Markup | None:
        """Return what the network saw with a relevance map over it."""
        photo = decode(thumbnail)
        if photo is None or relevance is None or not relevance.grid.size:
            return None
        return uri(overlay(photo, relevance.grid, STRENGTH, self.resize_mode), SIDE)

    def evidence(self, thumbnail: bytes | None, regions: Sequence[Region]) -> Markup | None:
        """Return a small picture with regions outlined."""
        photo = decode(thumbnail)
        if photo is None:
            return None
        return uri(outlines(photo, regions, [_INK] * len(regions), self.resize_mode), SMALL)


def uri(picture: Picture, side: int) -> Markup:
    """Return a square picture as a data URI, which needs no escaping."""
    file = BytesIO()
    small = picture if picture.width == side else picture.resize((side, side), Resampling.LANCZOS)
    # Drawn again even where nothing changes: no byte of a file from outside gets into the page.
    small.save(file, "WEBP", quality=_QUALITY)
    return Markup("data:image/webp;base64," + b64encode(file.getvalue()).decode("ascii"))


def scale(steps: int = 9) -> list[str]:
    """Return the colours of relevance from none to the most, as rgb()."""
    import numpy as np

    shown = colours(np.linspace(0, 1, steps)).round().astype(int)
    return [f"rgb({red},{green},{blue})" for red, green, blue in shown.tolist()]
