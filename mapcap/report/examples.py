"""The images of a class that a page shows, with where the model looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from markupsafe import Markup
from sqlalchemy import Engine

from db import queries
from db.queries.evidence import predicted_images
from db.records import ROLES, Finding, Image, Region, Relevance, Role
from mapcap.report.pictures import Drawer

SHOWN: Final = 4
"""Correct images shown of a class, and misclassified ones."""
_EVIDENCE: Final = 8
_JUDGED: Final = 16

Item = TypeVar("Item")


@dataclass(frozen=True)
class View:
    """One picture of an image: what it shows, and what is there in words."""

    role: Role | None
    """Whose relevance lies over it; None for the photo alone."""
    target: str | None
    picture: Markup | None
    caption: str | None


@dataclass(frozen=True)
class Example:
    """An image with its views; `confidence` is the probability of the class it is predicted as.

    None where a file of predictions has none.
    """

    image: Image
    confidence: float | None
    views: list[View]


@dataclass(frozen=True)
class Evidence:
    """An image that shows a finding."""

    image: Image
    picture: Markup | None


def spread(items: Sequence[Item], wanted: int) -> list[Item]:
    """Return so many items at even distances, the first and the last among them."""
    if len(items) <= wanted:
        return list(items)
    last = len(items) - 1
    return [items[round(place * last / (wanted - 1))] for place in range(wanted)]


def examples(engine: Engine, drawer: Drawer, class_id: int, *, correct: bool) -> list[Example]:
    """Return right or misclassified images of a class, evenly from the surest to the nearest miss.

    The worst would be easier to choose; but the worst are mostly wrong labels.
    """
    images = predicted_images(engine, class_id, correct=correct)
    chosen = spread(sorted(images, key=lambda image: (-abs(image.margin or 0), image.id)), SHOWN)
    ids = [image.id for image in chosen]
    thumbnails, maps = queries.thumbnails(engine, ids), queries.relevances(engine, ids)
    shown = []
    for image in chosen:
        captions = _captions(queries.regions(engine, image.id))
        thumbnail = thumbnails.get(image.id)
        views = [View(None, None, drawer.photo(thumbnail), None)]
        views += [
            _view(drawer, thumbnail, maps[image.id][role], captions)
            for role in ROLES
            if role in maps[image.id]
        ]
        shown.append(Example(queries.image(engine, image.id), image.confidence, views))
    return shown


def _captions(regions: Sequence[Region]) -> dict[Role, str]:
    """Return the caption of the first region of each map."""
    captions: dict[Role, str] = {}
    for region in regions:
        if region.caption is not None:
            captions.setdefault(region.role, region.caption)
    return captions


def _view(
    drawer: Drawer, thumbnail: bytes | None, relevance: Relevance, captions: dict[Role, str]
) -> View:
    return View(
        relevance.role,
        relevance.target_name,
        drawer.overlay(thumbnail, relevance),
        captions.get(relevance.role),
    )


def evidence(engine: Engine, drawer: Drawer, finding: Finding) -> list[Evidence]:
    """Return the first images that show a finding, with its regions outlined."""
    # Where the photo itself is to be judged, one looks at each; of the rest a few are enough.
    limit = _EVIDENCE if finding.overlay else _JUDGED
    images = queries.finding_images(engine, finding.id, limit=limit)
    if not images:
        return []
    regions: dict[int, list[Region]] = {}
    for region in queries.finding_regions(engine, finding.id):
        regions.setdefault(region.image_id, []).append(region)
    thumbnails = queries.thumbnails(engine, [image.id for image in images])
    return [
        Evidence(image, drawer.evidence(thumbnails.get(image.id), regions.get(image.id, [])))
        for image in images
    ]
