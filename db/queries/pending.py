"""What each stage has still to do, by id: what is stored is never asked for again.

Each call returns all ids at once, in the order of work, because asking batch by batch would
search past everything that is done every time. Unreadable images are never pending.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Engine, and_, exists, func, or_, select

from db import schema
from db.records import Role
from db.sql import Query, audit_basis


def _ids(engine: Engine, query: Query) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def pending_predictions(engine: Engine, run_id: int) -> list[int]:
    """Return the ids of the images without a prediction."""
    done = exists().where(schema.Prediction.image_id == schema.Image.id)
    query = select(schema.Image.id).where(
        schema.Image.run_id == run_id, schema.Image.error.is_(None), ~done
    )
    return _ids(engine, query.order_by(schema.Image.id))


def pending_relevance(engine: Engine, run_id: int, roles: Sequence[Role]) -> list[int]:
    """Return the ids of the predicted images that lack a map of one of the roles.

    Role `true` is needed for every image, the others for the wrong ones.
    """
    query = (
        select(schema.Image.id)
        .join(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
        .where(schema.Image.run_id == run_id, schema.Image.error.is_(None))
        .where(or_(*(_lacks(role) for role in roles)))
    )
    return _ids(engine, query.order_by(schema.Image.id))


def _lacks(role: Role) -> ColumnElement[bool]:
    table = schema.Relevance
    missing = ~exists().where(table.image_id == schema.Image.id, table.role == role)
    return missing if role == "true" else and_(schema.Prediction.correct.is_(False), missing)


def pending_regions(engine: Engine, run_id: int) -> list[int]:
    """Return the ids of the relevance maps in which regions have not been looked for."""
    table = schema.Relevance
    query = (
        select(table.id)
        .join(schema.Image, schema.Image.id == table.image_id)
        .where(
            schema.Image.run_id == run_id,
            schema.Image.error.is_(None),
            table.region_count.is_(None),
        )
    )
    return _ids(engine, query.order_by(table.id))


def _regions(run_id: int) -> Query:
    """Return the regions of readable images, those of one image together."""
    table = schema.Region
    return (
        select(table.id)
        .join(schema.Image, schema.Image.id == table.image_id)
        .where(table.run_id == run_id, schema.Image.error.is_(None))
        .order_by(table.image_id, table.id)
    )


def pending_embeddings(engine: Engine, run_id: int, representation: str) -> list[int]:
    """Return the ids of the regions without an embedding of a representation, image by image."""
    done = exists().where(
        schema.Embedding.region_id == schema.Region.id,
        schema.Embedding.representation == representation,
    )
    return _ids(engine, _regions(run_id).where(~done))


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
