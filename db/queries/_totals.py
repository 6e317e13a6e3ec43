"""How many items each stage has in all, done or not: the counterpart of what is pending."""

from sqlalchemy import Engine, func, select

from db import schema
from db.sql import Query


def _count(engine: Engine, query: Query) -> int:
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def readable_images(engine: Engine, run_id: int) -> int:
    """Return the number of images of a run that could be read."""
    query: Query = select(func.count()).where(
        schema.Image.run_id == run_id, schema.Image.error.is_(None)
    )
    return _count(engine, query)


def relevance_count(engine: Engine, run_id: int) -> int:
    """Return the number of relevance maps of a run's readable images."""
    query: Query = (
        select(func.count())
        .select_from(schema.Relevance)
        .join(schema.Image, schema.Image.id == schema.Relevance.image_id)
        .where(schema.Image.run_id == run_id, schema.Image.error.is_(None))
    )
    return _count(engine, query)


def region_count(engine: Engine, run_id: int) -> int:
    """Return the number of regions of a run's readable images."""
    query: Query = (
        select(func.count())
        .select_from(schema.Region)
        .join(schema.Image, schema.Image.id == schema.Region.image_id)
        .where(schema.Region.run_id == run_id, schema.Image.error.is_(None))
    )
    return _count(engine, query)
