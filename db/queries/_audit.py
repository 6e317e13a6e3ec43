"""The audit of classes, and the metrics."""

import re
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine, func, select

from db import schema
from db.queries._images import IMAGE, fetch_images
from db.queries._regions import REGION, fetch_regions
from db.records import ClassAudit, ErrorWord, Figure, Finding, FindingKind, Image, Region
from db.sql import Query, columns_of, finding_kind, in_ids, records

_COLOUR: Final = re.compile("#[0-9a-fA-F]{6}")
_NO_COLOUR: Final = "#ffffff"
_MOST_DETAILS: Final = 100

_FINDING: Query = select(
    *columns_of(
        Finding,
        schema.Finding,
        kind=finding_kind(),
        images=select(func.count())
        .where(schema.FindingImage.finding_id == schema.Finding.id)
        .scalar_subquery(),
        regions=select(func.count())
        .where(schema.FindingRegion.finding_id == schema.Finding.id)
        .scalar_subquery(),
    )
)


def _findings(engine: Engine, query: Query, kind: str | None) -> list[Finding]:
    if kind is not None:
        query = query.where(finding_kind() == kind)
    with engine.connect() as connection:
        return [_checked(finding) for finding in records(Finding, connection.execute(query))]


def _checked(finding: Finding) -> Finding:
    """Return a finding as it can be shown: the file may be of an older MapCap, or anybody's."""
    kind = _kind(finding.kind, finding.plain, finding.colour)
    return replace(
        finding,
        plain=kind.plain,
        colour=kind.colour,
        details=finding.details[:_MOST_DETAILS],
    )


def _kind(name: str, plain: str, colour: str) -> FindingKind:
    return FindingKind(name, plain or name, colour if _COLOUR.fullmatch(colour) else _NO_COLOUR)


def finding_kinds(engine: Engine, run_id: int) -> list[FindingKind]:
    """Return the kinds of a run's findings, that of the highest score first; not those of notes."""
    table = schema.Finding
    query = (
        select(finding_kind(), func.max(table.plain), func.max(table.colour))
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id, table.score > 0)
        .group_by(finding_kind())
        .order_by(func.max(table.score).desc(), finding_kind())
    )
    with engine.connect() as connection:
        return [_kind(*row) for row in connection.execute(query)]


def findings(engine: Engine, class_id: int, kind: str | None = None) -> list[Finding]:
    """Return the findings of a class, the first first."""
    query = _FINDING.where(schema.Finding.class_id == class_id)
    return _findings(engine, query.order_by(schema.Finding.position), kind)


def run_findings(
    engine: Engine, run_id: int, kind: str | None = None, *, limit: int | None = None
) -> list[Finding]:
    """Return the findings of all classes of a run, the highest score first, without the notes."""
    table = schema.Finding
    best = (
        select(table.id)
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id, table.score > 0)
    )
    if kind is not None:
        best = best.where(finding_kind() == kind)
    order = (table.score.desc(), table.id)
    # The evidence is counted for those alone that are returned.
    query = _FINDING.where(table.id.in_(best.order_by(*order).limit(limit))).order_by(*order)
    return _findings(engine, query, None)


def finding_images(
    engine: Engine, finding_id: int, *, limit: int = 100, offset: int = 0
) -> list[Image]:
    """Return the images that are evidence of a finding, the most telling first."""
    link = schema.FindingImage
    query = (
        IMAGE.join(link, link.image_id == schema.Image.id)
        .where(link.finding_id == finding_id)
        .order_by(link.position)
    )
    return fetch_images(engine, query.limit(limit).offset(offset))


def finding_regions(engine: Engine, finding_id: int, *, limit: int = 100) -> list[Region]:
    """Return the regions that are evidence of a finding, the most telling first."""
    link = schema.FindingRegion
    query = (
        REGION.join(link, link.region_id == schema.Region.id)
        .where(link.finding_id == finding_id)
        .order_by(link.position)
    )
    return fetch_regions(engine, query.limit(limit))


def finding_photos(
    engine: Engine, finding_id: int, *, limit: int = 100, offset: int = 0
) -> list[list[Region]]:
    """Return a page of the images whose regions are evidence of a finding, each as those regions.

    The most telling first, within an image too.
    """
    link = schema.FindingRegion
    image_id = schema.Region.image_id
    chosen = (
        select(image_id)
        .join(link, link.region_id == schema.Region.id)
        .where(link.finding_id == finding_id)
        .group_by(image_id)
        .order_by(func.min(link.position))
        .limit(limit)
        .offset(offset)
    )
    with engine.connect() as connection:
        by_image: dict[int, list[Region]] = {i: [] for i in connection.execute(chosen).scalars()}
    query = (
        REGION.join(link, link.region_id == schema.Region.id)
        .where(link.finding_id == finding_id, in_ids(image_id, by_image))
        .order_by(link.position)
    )
    for region in fetch_regions(engine, query):
        by_image[region.image_id].append(region)
    return list(by_image.values())


def count_finding_photos(engine: Engine, finding_id: int) -> int:
    """Return how many images `finding_photos` has on all its pages."""
    link = schema.FindingRegion
    query = (
        select(func.count(schema.Region.image_id.distinct()))
        .join(link, link.region_id == schema.Region.id)
        .where(link.finding_id == finding_id)
    )
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def class_audit(engine: Engine, class_id: int) -> ClassAudit | None:
    """Return what the audit says of a class, or None before the audit."""
    table = schema.ClassAudit
    query: Query = select(*columns_of(ClassAudit, table)).where(table.class_id == class_id)
    with engine.connect() as connection:
        audits = records(ClassAudit, connection.execute(query))
    return audits[0] if audits else None


def error_words(
    engine: Engine, class_id: int, against: int | None = None, *, limit: int = 100
) -> list[ErrorWord]:
    """Return the words tested against the correct ones of `against`, or of the class, by |z|."""
    table = schema.ErrorWord
    query = (
        select(*columns_of(ErrorWord, table))
        .where(table.class_id == class_id, table.against_class_id.is_not_distinct_from(against))
        .order_by(func.abs(table.z).desc(), table.word)
        .limit(limit)
    )
    with engine.connect() as connection:
        return records(ErrorWord, connection.execute(query))


def word_rivals(engine: Engine, class_id: int) -> list[tuple[int, str]]:
    """Return the id and name of each class whose correct images the errors were compared with."""
    table = schema.ErrorWord
    query = (
        select(schema.ClassName.id, schema.ClassName.name)
        .join(table, table.against_class_id == schema.ClassName.id)
        .where(table.class_id == class_id)
        .group_by(schema.ClassName.id)
        .order_by(func.count().desc(), schema.ClassName.position)
    )
    with engine.connect() as connection:
        return [(number, name) for number, name in connection.execute(query)]


def figures(engine: Engine, run_id: int) -> list[Figure]:
    """Return the metrics of a run, by name."""
    table = schema.Figure
    query = select(*columns_of(Figure, table)).where(table.run_id == run_id).order_by(table.name)
    with engine.connect() as connection:
        return records(Figure, connection.execute(query))


def class_figures(engine: Engine, run_id: int) -> dict[int, dict[str, float]]:
    """Return the figures of each class of a run, by class id and name."""
    table = schema.ClassFigure
    query = (
        select(table.class_id, table.name, table.value)
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id)
        .order_by(table.class_id, table.name)
    )
    return _nested(engine, query)


def image_figures(engine: Engine, run_id: int) -> dict[int, dict[str, float]]:
    """Return the figures of the images that were measured, by image id and name."""
    table = schema.ImageFigure
    query = (
        select(table.image_id, table.name, table.value)
        .join(schema.Image, schema.Image.id == table.image_id)
        .where(schema.Image.run_id == run_id)
        .order_by(table.image_id, table.name)
    )
    return _nested(engine, query)


def _nested(engine: Engine, query: Query) -> dict[int, dict[str, float]]:
    nested: dict[int, dict[str, float]] = {}
    with engine.connect() as connection:
        for number, name, value in connection.execute(query):
            nested.setdefault(number, {})[name] = value
    return nested
