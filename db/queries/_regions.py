"""Regions with their captions, and embeddings by the thousand."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, select

from db import schema
from db.records import Region, Vectors
from db.sql import Query, columns_of, in_ids, raw, records, stack

REGION: Query = (
    select(
        *columns_of(
            Region,
            schema.Region,
            schema.RegionCaption,
            path=schema.Image.path,
            class_id=schema.Image.class_id,
            class_name=schema.ClassName.name,
            correct=schema.Prediction.correct,
            caption=schema.Caption.text,
        )
    )
    .join(schema.Image, schema.Image.id == schema.Region.image_id)
    .join(schema.ClassName, schema.ClassName.id == schema.Image.class_id)
    .outerjoin(schema.Prediction, schema.Prediction.image_id == schema.Region.image_id)
    .outerjoin(schema.RegionCaption, schema.RegionCaption.region_id == schema.Region.id)
    .outerjoin(schema.Caption, schema.Caption.id == schema.RegionCaption.caption_id)
)


def fetch_regions(engine: Engine, query: Query) -> list[Region]:
    """Run a query built on `REGION`."""
    with engine.connect() as connection:
        return records(Region, connection.execute(query))


def regions(engine: Engine, image_id: int) -> list[Region]:
    """Return the regions of an image, by role and rank."""
    query = REGION.where(schema.Region.image_id == image_id)
    return fetch_regions(engine, query.order_by(schema.Region.role, schema.Region.rank))


def regions_by_id(engine: Engine, region_ids: Sequence[int]) -> list[Region]:
    """Return regions in the order of their ids given; those that are gone are left out."""
    query = REGION.where(in_ids(schema.Region.id, region_ids))
    found = {region.id: region for region in fetch_regions(engine, query)}
    return [found[region_id] for region_id in region_ids if region_id in found]


def region_embeddings(
    engine: Engine, run_id: int, representation: str, *, chunk: int = 65536
) -> Iterator[Vectors]:
    """Yield all region embeddings of a run under a representation, by region id, in chunks.

    No transaction stays open between chunks: the caller may take its time or stop.
    """
    table = schema.Embedding
    query = (
        select(table.region_id, raw(table.vector), table.norm)
        .join(schema.Region, schema.Region.id == table.region_id)
        # Not by the index of the run, which knows no order of regions: it would be read again, and
        # what it gives sorted, for every chunk.
        .where(schema.Region.run_id + 0 == run_id, table.representation == representation)
    )
    return _chunks(engine, query, table.region_id, chunk)


def _chunks(engine: Engine, query: Query, key: Any, chunk: int) -> Iterator[Vectors]:
    last = 0
    while True:
        with engine.connect() as connection:
            found = stack(connection, query.where(key > last).order_by(key).limit(chunk))
        if not found.ids.size:
            return
        yield found
        last = int(found.ids[-1])
