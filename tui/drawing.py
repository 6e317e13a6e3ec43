"""Small pictures of images and regions, read and drawn in a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from PIL import ImageDraw

from db import queries
from db.records import Finding, Image
from mapcap.overlay import STRENGTH, decode, overlay, square
from tui.opened import Opened
from tui.texts import REGION_COLOURS
from tui.widgets.thumbs import Thumb

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_CORNERS: Final = 4
_LINE: Final = 5


def thumbs(opened: Opened, images: Sequence[Image], laid: bool) -> list[Thumb]:
    """Read and draw the thumbnails of images, with the relevance for the true class if `laid`."""
    ids = [image.id for image in images]
    photos = queries.thumbnails(opened.engine, ids)
    maps = queries.relevances(opened.engine, ids) if laid else {}
    mode = opened.run.resize_mode
    drawn = []
    for image in images:
        photo = decode(photos.get(image.id))
        relevance = maps.get(image.id, {}).get("true")
        if photo is not None:
            photo = (
                square(photo, mode)
                if relevance is None
                else overlay(photo, relevance.grid, STRENGTH, mode)
            )
        drawn.append(Thumb(image, photo, opened.of_image(image) is not None))
    return drawn


def evidence(opened: Opened, finding: Finding, offset: int, limit: int) -> list[Thumb]:
    """Read and draw a page of the images that a finding without regions rests on.

    Where it has none, it is about another class: the images of that predicted as this one.
    """
    other = finding.figures.get("class_id")
    if not finding.images and isinstance(other, int):
        end = offset + limit
        images = queries.images(opened.engine, other, wrong_as=finding.class_id, limit=end)
        return thumbs(opened, images[offset:], laid=True)
    return finding_thumbs(opened, finding, offset, limit, finding.overlay)


def finding_thumbs(
    opened: Opened, finding: Finding, offset: int, limit: int, laid: bool
) -> list[Thumb]:
    """Read and draw a page of a finding's images; what marks them has a frame round it."""
    images = queries.finding_images(opened.engine, finding.id, limit=limit, offset=offset)
    drawn = thumbs(opened, images, laid)
    box = _box(finding.figures.get("box"))
    for thumb in drawn:
        if box is not None and thumb.picture is not None:
            _frame(thumb.picture, box)
    return drawn


def _box(box: Any) -> tuple[float, ...] | None:
    """Return x0, y0, x1, y1 in shares of the view, None unless they are that."""
    if not isinstance(box, list) or len(box) != _CORNERS:
        return None
    if not all(isinstance(edge, int | float) and 0 <= edge <= 1 for edge in box):
        return None
    return (*box,) if box[0] < box[2] and box[1] < box[3] else None


def _frame(picture: Picture, box: tuple[float, ...]) -> None:
    """Draw a frame just outside a box of the picture."""
    scaled = [edge * side for edge, side in zip(box, picture.size * 2, strict=True)]
    grown = [edge - _LINE for edge in scaled[:2]] + [edge + _LINE for edge in scaled[2:]]
    ImageDraw.Draw(picture).rectangle(grown, outline=REGION_COLOURS[0], width=_LINE)
