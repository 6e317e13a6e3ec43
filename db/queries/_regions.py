"""Regions with their captions, and embeddings by the thousand."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from sqlalchemy import Engine, bindparam, select

from db import schema
from db.errors import StoreError
from db.records import Codes, Region, Vectors
from db.sql import Query, columns_of, embedded, in_ids, judged, records, stack

# Few enough vectors that a search that is no longer wanted stops soon.
_CHUNK: Final = 16384

REGION: Query = (
    select(
        *columns_of(
            Region,
            schema.Region,
            schema.RegionCaption,
            path=schema.Image.path,
            class_id=schema.Image.class_id,
            class_name=schema.ClassName.name,
            correct=judged(),
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
    by_id = {region.id: region for region in fetch_regions(engine, query)}
    return [by_id[region_id] for region_id in region_ids if region_id in by_id]


def region_embeddings(
    engine: Engine, run_id: int, representation: str, *, after: int = 0, chunk: int = 65536
) -> Iterator[Vectors]:
    """Yield the region embeddings of a run under a representation, by region id, in chunks.

    Those of the regions beyond `after`. No transaction stays open between chunks: the caller may
    take its time or stop.
    """
    while True:
        with engine.connect() as connection:
            vectors = stack(connection, embedded(run_id, representation, after).limit(chunk))
        if not vectors.ids.size:
            return
        yield vectors
        after = int(vectors.ids[-1])


def region_codes(
    engine: Engine, run_id: int, representation: str, first: int = 0
) -> Iterator[Codes | Vectors]:
    """Yield what a search looks through first: blocks of codes, that of a region `first`, then all.

    What is in no block yet follows as it is stored. StoreError for a block that is damaged.
    """
    table = schema.EmbeddingBlock
    ends: Query = (
        select(table.last_region_id)
        .where(table.run_id == run_id, table.representation == representation)
        .order_by(table.last_region_id)
    )
    with engine.connect() as connection:
        lasts = connection.execute(ends).scalars().all()
    # Made once: there may be hundreds of blocks, and SQLAlchemy takes as long for a query as
    # SQLite for a block.
    query: Query = select(*columns_of(Codes, table, ids=table.region_ids)).where(
        table.run_id == run_id,
        table.representation == representation,
        table.last_region_id == bindparam("last"),
    )
    begin = bisect_left(lasts, first)
    for last in (*lasts[begin:], *lasts[:begin]):
        with engine.connect() as connection:
            row = connection.execute(query, {"last": last}).one_or_none()
        if row is not None:
            yield _sound(Codes(*row))
    beyond = lasts[-1] if lasts else 0
    yield from region_embeddings(engine, run_id, representation, after=beyond, chunk=_CHUNK)


def _sound(block: Codes) -> Codes:
    """Return a block whose parts belong together; StoreError for another."""
    n, length = block.codes.shape
    if not (block.ids.size == block.scales.size == block.errors.size == n) or (
        block.centre.size != length
    ):
        raise StoreError("a stored block of embeddings is damaged: its parts differ in length")
    if not all(np.isfinite(part).all() for part in (block.centre, block.scales, block.errors)):
        raise StoreError("a stored block of embeddings is damaged: it holds NaN or infinity")
    return block
