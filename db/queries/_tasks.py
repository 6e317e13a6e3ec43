"""What the stages of a run need to do their work."""

from collections.abc import Sequence

from sqlalchemy import Engine, select

from db import schema
from db.queries._captions import class_captions
from db.records import ClassCaption, RegionTask, Vectors
from db.sql import Query, columns_of, in_ids, raw, records, stack


def region_tasks(engine: Engine, region_ids: Sequence[int]) -> list[RegionTask]:
    """Return what a stage needs to work on regions, those of one image together."""
    table = schema.Region
    query: Query = (
        select(*columns_of(RegionTask, table, schema.Image))
        .join(schema.Image, schema.Image.id == table.image_id)
        .where(in_ids(table.id, region_ids))
        .order_by(table.image_id, table.id)
    )
    with engine.connect() as connection:
        return records(RegionTask, connection.execute(query))


def region_features(engine: Engine, region_ids: Sequence[int], representation: str) -> Vectors:
    """Return the embeddings of regions under a representation, by region id.

    Regions without one are left out: compare `ids` with what was asked for.
    """
    table = schema.Embedding
    query = (
        select(table.region_id, raw(table.vector), table.norm)
        .where(in_ids(table.region_id, region_ids), table.representation == representation)
        .order_by(table.region_id)
    )
    with engine.connect() as connection:
        return stack(connection, query)


def pmi_candidates(engine: Engine, class_id: int) -> list[ClassCaption]:
    """Return all captions of a class that say something, the most frequent first.

    Of equally frequent ones the text decides: a run that went on gives what a fresh one gives.
    """
    table = schema.ClassCaption
    query = (
        class_captions(None)
        .where(table.class_id == class_id, schema.Caption.is_empty.is_(False))
        .order_by(table.count.desc(), schema.Caption.text)
    )
    with engine.connect() as connection:
        return records(ClassCaption, connection.execute(query))
