"""What the stages of a run need to do their work."""

from collections.abc import Sequence

from sqlalchemy import Engine, select
from sqlalchemy.orm import aliased

from db import schema
from db.queries._captions import class_captions
from db.records import ClassCaption, ImageTask, RegionTask, Vectors
from db.sql import Query, columns_of, in_ids, raw, records, stack


def image_tasks(engine: Engine, image_ids: Sequence[int]) -> list[ImageTask]:
    """Return what a stage needs to work on images, in the order of their ids."""
    predicted = aliased(schema.ClassName)
    query: Query = (
        select(
            *columns_of(
                ImageTask,
                schema.Image,
                schema.Prediction,
                class_position=schema.ClassName.position,
                predicted_position=predicted.position,
            )
        )
        .join(schema.ClassName, schema.ClassName.id == schema.Image.class_id)
        .outerjoin(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
        .outerjoin(predicted, predicted.id == schema.Prediction.predicted_class_id)
        .where(in_ids(schema.Image.id, image_ids))
        .order_by(schema.Image.id)
    )
    with engine.connect() as connection:
        return records(ImageTask, connection.execute(query))


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
    """Return all captions of a class that say something, the most frequent first."""
    table = schema.ClassCaption
    query = (
        class_captions(None)
        .where(table.class_id == class_id, schema.Caption.is_empty.is_(False))
        .order_by(table.count.desc(), table.caption_id)
    )
    with engine.connect() as connection:
        return records(ClassCaption, connection.execute(query))
