"""What the audit reads: predictions, captions and vectors of many images at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, and_, func, select

from db import schema
from db.records import Role, Vectors
from db.records.evidence import PredictedImage, RegionWords
from db.sql import Query, columns_of, in_ids, raw, records, stack


def predicted_ids(engine: Engine, run_id: int) -> NDArray[np.int64]:
    """Return (image id, class id) of every readable predicted image of a run, (n, 2), by image."""
    query: Query = (
        select(schema.Image.id, schema.Image.class_id)
        .join(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
        .where(schema.Image.run_id == run_id, schema.Image.error.is_(None))
        .order_by(schema.Image.id)
    )
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=10_000).execute(query)
        flat = np.fromiter((value for row in rows for value in row), np.int64)
    return flat.reshape(-1, 2)


def same_files(engine: Engine, run_id: int) -> NDArray[np.int64]:
    """Return the images of a run whose files have equal content: (k, 3), by image.

    Columns: id, class id, and a number that images of equal content share.
    """
    table = schema.Image
    repeated = (
        select(table.content_hash)
        .where(table.run_id == run_id, table.error.is_(None), table.content_hash.is_not(None))
        .group_by(table.content_hash)
        .having(func.count() > 1)
    )
    query: Query = (
        select(table.id, table.class_id, table.content_hash)
        .where(table.run_id == run_id, table.error.is_(None), table.content_hash.in_(repeated))
        .order_by(table.id)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    groups: dict[str, int] = {}
    table_of = [
        (image_id, label, groups.setdefault(digest, len(groups)))
        for image_id, label, digest in rows
    ]
    return np.array(table_of, np.int64).reshape(-1, 3)


def paths_of(engine: Engine, image_ids: Sequence[int]) -> dict[int, str]:
    """Return the paths of images by id."""
    query: Query = select(schema.Image.id, schema.Image.path).where(
        in_ids(schema.Image.id, image_ids)
    )
    with engine.connect() as connection:
        return dict(connection.execute(query).all())


_PREDICTED: Query = (
    select(
        *columns_of(
            PredictedImage,
            schema.Image,
            schema.Prediction,
            confidence=schema.PredictionTop.probability,
            witness_class_id=schema.Witness.predicted_class_id,
        )
    )
    .join(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
    .join(
        schema.PredictionTop,
        and_(schema.PredictionTop.image_id == schema.Image.id, schema.PredictionTop.rank == 1),
    )
    .outerjoin(schema.Witness, schema.Witness.image_id == schema.Image.id)
    .where(schema.Image.error.is_(None))
    .order_by(schema.Image.id)
)


def predicted_images(
    engine: Engine, class_id: int, *, correct: bool | None = None, limit: int | None = None
) -> list[PredictedImage]:
    """Return the readable predicted images of a class by id: all, or the right or wrong ones."""
    query = _PREDICTED.where(schema.Prediction.class_id == class_id)
    if correct is not None:
        query = query.where(schema.Prediction.correct.is_(correct))
    with engine.connect() as connection:
        return records(PredictedImage, connection.execute(query.limit(limit)))


def predictions_of(engine: Engine, image_ids: Sequence[int]) -> list[PredictedImage]:
    """Return images by id; those that are unreadable or not predicted are left out."""
    query = _PREDICTED.where(in_ids(schema.Image.id, image_ids))
    with engine.connect() as connection:
        return records(PredictedImage, connection.execute(query))


def region_words(engine: Engine, image_ids: Sequence[int], role: Role) -> list[RegionWords]:
    """Return the captioned regions of images, of maps of one role, by image and rank."""
    words, region = schema.RegionCaption, schema.Region
    query: Query = (
        select(*columns_of(RegionWords, region, caption=schema.Caption.text))
        .join(words, words.region_id == region.id)
        .join(schema.Caption, schema.Caption.id == words.caption_id)
        .where(in_ids(region.image_id, image_ids), region.role == role)
        .order_by(region.image_id, region.rank)
    )
    with engine.connect() as connection:
        return records(RegionWords, connection.execute(query))


def image_features(engine: Engine, image_ids: Sequence[int]) -> Vectors:
    """Return the embeddings of whole images by id; images without one are left out."""
    table = schema.ImageEmbedding
    query = (
        select(table.image_id, raw(table.vector), table.norm)
        .where(in_ids(table.image_id, image_ids))
        .order_by(table.image_id)
    )
    with engine.connect() as connection:
        return stack(connection, query)
