"""Captions seen across classes: where one stands, and how those of two predictions differ."""

from sqlalchemy import Engine, case, func, select

from db import schema
from db.queries._regions import REGION, fetch_regions
from db.records import CaptionContrast, Region
from db.sql import Query, columns_of, records


def regions_of_caption(
    engine: Engine, caption_id: int, *, after: int = 0, limit: int = 100
) -> list[Region]:
    """Return a page of the regions that have a caption, in any class, by region id.

    `after` is the id of the last region of the page before.
    """
    table = schema.RegionCaption
    query = REGION.where(table.caption_id == caption_id, table.region_id > after)
    return fetch_regions(engine, query.order_by(table.region_id).limit(limit))


def caption_contrasts(
    engine: Engine, class_id: int, predicted_class_id: int, *, limit: int = 50
) -> list[CaptionContrast]:
    """Return the captions of a class's images taken for another class, next to the right ones.

    Counts regions of role `true`. First come the captions that the wrong images have most more
    of than the right ones.
    """
    words, prediction = schema.RegionCaption, schema.Prediction
    wrong = func.sum(case((prediction.predicted_class_id == predicted_class_id, 1), else_=0))
    right = func.sum(case((prediction.correct, 1), else_=0))
    query: Query = (
        select(*columns_of(CaptionContrast, words, schema.Caption, wrong=wrong, right=right))
        .join(schema.Region, schema.Region.id == words.region_id)
        .join(prediction, prediction.image_id == schema.Region.image_id)
        .join(schema.Caption, schema.Caption.id == words.caption_id)
        .where(words.class_id == class_id, words.role == "true")
        .group_by(words.caption_id)
        .having(wrong > 0)
        .order_by((wrong - right).desc(), wrong.desc(), words.caption_id)
        .limit(limit)
    )
    with engine.connect() as connection:
        return records(CaptionContrast, connection.execute(query))
