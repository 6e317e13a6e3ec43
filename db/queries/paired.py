"""Predictions of two runs of a file on the same images."""

from sqlalchemy import Engine, and_, select
from sqlalchemy.orm import aliased

from db import schema
from db.records.evidence import Paired
from db.sql import Query, columns_of, records


def paired_predictions(engine: Engine, run_id: int, other_run_id: int) -> list[Paired]:
    """Return the images that two runs have predicted, by the class of the first run.

    They are the same image where path and content are: a file that was replaced, or moved to
    another class, is not compared. `before` is what `other_run_id` said.
    """
    image, other = schema.Image, aliased(schema.Image)
    own_class, other_class = schema.ClassName, aliased(schema.ClassName)
    said, said_before = schema.Prediction, aliased(schema.Prediction)
    query: Query = (
        select(*columns_of(Paired, image, before=said_before.correct, now=said.correct))
        .join(
            other,
            and_(
                other.run_id == other_run_id,
                other.path == image.path,
                other.content_hash == image.content_hash,
            ),
        )
        .join(said, said.image_id == image.id)
        .join(said_before, said_before.image_id == other.id)
        .join(own_class, own_class.id == image.class_id)
        .join(other_class, other_class.id == other.class_id)
        .where(image.run_id == run_id, own_class.label == other_class.label)
        .order_by(own_class.position, image.id)
    )
    with engine.connect() as connection:
        return records(Paired, connection.execute(query))
