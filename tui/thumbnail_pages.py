"""Pages of small pictures: of a class's images, and of what a finding rests on, one for a photo."""

from collections.abc import Sequence
from dataclasses import dataclass

from db import queries
from db.records import Finding, Region
from db.verdicts import Mark
from mapcap.overlay import decode, outlines
from tui.drawing import evidence, thumbs
from tui.opened import Opened
from tui.texts import REGION_COLOURS
from tui.widgets.finding_detail import pictures
from tui.widgets.images_pane import ImageQuery, Judged
from tui.widgets.thumbs import Thumb


@dataclass(frozen=True)
class Page:
    """Some pictures, of `total` on all pages."""

    tiles: Sequence[Thumb]
    total: int


def images_page(opened: Opened, class_id: int, wanted: ImageQuery) -> Page:
    """Read and draw a page of a class's images."""
    marked = opened.marked(class_id) if wanted.judged else []
    only = _of_mark(wanted.judged, marked)
    without = [number for _, number in marked] if wanted.judged == "no verdict" else ()
    total = queries.count_images(
        opened.engine,
        class_id,
        show=wanted.show,
        wrong_as=wanted.wrong_as,
        only=only,
        without=without,
    )
    images = queries.images(
        opened.engine,
        class_id,
        show=wanted.show,
        wrong_as=wanted.wrong_as,
        only=only,
        without=without,
        descending=wanted.descending,
        after=wanted.after,
        limit=wanted.limit,
    )
    return Page(thumbs(opened, images, wanted.overlay), total)


def _of_mark(judged: Judged, marked: list[tuple[Mark, int]]) -> list[int] | None:
    """Return the images to keep for a verdict, None if all may stay."""
    if judged in ("", "no verdict"):
        return None
    return [number for mark, number in marked if mark == judged]


def evidence_page(opened: Opened, finding: Finding, offset: int, limit: int) -> Page:
    """Read and draw a page of what a finding rests on, from picture `offset` on."""
    if not finding.regions:
        return Page(evidence(opened, finding, offset, limit), pictures(finding))
    photos = queries.finding_photos(opened.engine, finding.id, limit=limit, offset=offset)
    stored = queries.thumbnails(opened.engine, [regions[0].image_id for regions in photos])
    total = queries.count_finding_photos(opened.engine, finding.id)
    return Page([_tile(opened, regions, stored) for regions in photos], total)


def _tile(opened: Opened, regions: Sequence[Region], stored: dict[int, bytes]) -> Thumb:
    """Draw a photo with its regions outlined; the caption is that of the first."""
    first = regions[0]
    image, photo = queries.image(opened.engine, first.image_id), decode(stored.get(first.image_id))
    if photo is not None:
        inks = [REGION_COLOURS[i % len(REGION_COLOURS)] for i in range(len(regions))]
        photo = outlines(photo, regions, inks, opened.run.resize_mode)
    caption = first.caption or "no caption yet"
    return Thumb(image, photo, opened.of_image(image) is not None, caption)
