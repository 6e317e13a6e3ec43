"""What each stage has still to do: what is stored is never asked for again.

Each call returns all ids at once, in the order of work, because asking batch by batch would
search past everything that is done every time. Unreadable images are never pending.
"""

from collections.abc import Sequence

from sqlalchemy import Engine, and_, case, exists, func, or_, select

from db import schema
from db.records import StoredImage
from db.sql import Query, audit_basis, columns_of, records


def _ids(engine: Engine, query: Query) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def stored_images(engine: Engine, run_id: int, representation: str) -> dict[str, StoredImage]:
    """Return what a run has of each file, by path.

    An image is whole if it is unreadable, or has a prediction, every map that it calls for with
    its regions found, and the regions' embeddings under a representation.
    """
    image, maps, regions = schema.Image, schema.Relevance, schema.Region
    searched = (
        select(func.count())
        .where(maps.image_id == image.id, maps.region_count.is_not(None))
        .scalar_subquery()
    )
    embedded = exists().where(
        schema.Embedding.region_id == regions.id,
        schema.Embedding.representation == representation,
    )
    bare = exists().where(regions.image_id == image.id, ~embedded)
    predicted = schema.Prediction.image_id.is_not(None)
    needed = case((schema.Prediction.correct, 1), else_=3)
    whole = or_(image.error.is_not(None), and_(predicted, searched >= needed, ~bare))
    query: Query = (
        select(*columns_of(StoredImage, image, whole=whole))
        .outerjoin(schema.Prediction, schema.Prediction.image_id == image.id)
        .where(image.run_id == run_id)
    )
    with engine.connect() as connection:
        return {each.path: each for each in records(StoredImage, connection.execute(query))}


def _regions(run_id: int) -> Query:
    """Return the regions of readable images, those of one image together."""
    table = schema.Region
    return (
        select(table.id)
        .join(schema.Image, schema.Image.id == table.image_id)
        .where(table.run_id == run_id, schema.Image.error.is_(None))
        .order_by(table.image_id, table.id)
    )


def region_count(engine: Engine, run_id: int) -> int:
    """Return the number of regions of a run's readable images, captioned or not."""
    query: Query = select(func.count()).select_from(_regions(run_id).subquery())
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def pending_captions(engine: Engine, run_id: int) -> list[int]:
    """Return the ids of the regions without a caption, image by image."""
    done = exists().where(schema.RegionCaption.region_id == schema.Region.id)
    return _ids(engine, _regions(run_id).where(~done))


def pending_pmi(engine: Engine, run_id: int) -> list[int]:
    """Return the ids of the classes without a matrix, or with captions newer than it.

    `aggregate_captions` comes first: it counts the captions.
    """
    captioned = (
        select(func.coalesce(func.sum(schema.ClassCaption.count), 0))
        .where(schema.ClassCaption.class_id == schema.ClassName.id)
        .scalar_subquery()
    )
    query = (
        select(schema.ClassName.id)
        .outerjoin(schema.Pmi, schema.Pmi.class_id == schema.ClassName.id)
        .where(schema.ClassName.run_id == run_id)
        .where(or_(schema.Pmi.class_id.is_(None), schema.Pmi.region_total != captioned))
    )
    return _ids(engine, query.order_by(schema.ClassName.position))


def pending_summaries(
    engine: Engine, run_id: int, lengths: Sequence[int], redundancy: float
) -> list[int]:
    """Return the ids of the classes that have a matrix and lack a summary of one of the lengths."""
    table = schema.Summary
    stored = (
        select(func.count())
        .where(
            table.class_id == schema.ClassName.id,
            table.redundancy == redundancy,
            table.k.in_(lengths),
        )
        .scalar_subquery()
    )
    query = (
        select(schema.ClassName.id)
        .join(schema.Pmi, schema.Pmi.class_id == schema.ClassName.id)
        .where(schema.ClassName.run_id == run_id, stored < len(set(lengths)))
    )
    return _ids(engine, query.order_by(schema.ClassName.position))


def pending_audit(engine: Engine, run_id: int, version: int = 0) -> list[int]:
    """Return the ids of the classes without an audit, or with one that is out of date.

    It is where predictions or captions are newer, or where its version is below `version`.
    """
    table = schema.ClassAudit
    predicted, captioned = audit_basis()
    query = (
        select(schema.ClassName.id)
        .outerjoin(table, table.class_id == schema.ClassName.id)
        .where(schema.ClassName.run_id == run_id)
        .where(
            or_(
                table.class_id.is_(None),
                table.predicted != predicted,
                table.region_total != captioned,
                table.audit_version < version,
            )
        )
    )
    return _ids(engine, query.order_by(schema.ClassName.position))


def outdated_audits(engine: Engine, run_id: int, version: int) -> list[int]:
    """Return the ids of the classes whose audit has a version below `version`."""
    table = schema.ClassAudit
    query = (
        select(table.class_id)
        .join(schema.ClassName, schema.ClassName.id == table.class_id)
        .where(schema.ClassName.run_id == run_id, table.audit_version < version)
    )
    return _ids(engine, query.order_by(schema.ClassName.position))
