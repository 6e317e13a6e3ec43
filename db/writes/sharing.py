"""What a run takes over of another run of the file: rows copied, each with the new run's ids."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import aliased

from db.schema import (
    Base,
    Caption,
    ClassName,
    Embedding,
    Image,
    ImageEmbedding,
    Prediction,
    PredictionTop,
    Region,
    RegionCaption,
    Relevance,
    Thumbnail,
    Witness,
)
from db.sql import Query, in_texts


def copy_images(
    connection: Connection, run_id: int, source_id: int, paths: Sequence[str]
) -> dict[str, int]:
    """Copy images with all that one pass stores of them; return the ids of the copies, by path.

    `paths` are images that the source run has whole and this run has not at all; the classes of
    both runs are the same ones in the same order.
    """
    wanted = func.json_each(json.dumps(list(paths))).table_valued("key", "value")
    image = Image.__table__
    found = (
        select(*_columns(Image, {"run_id": literal(run_id)}, run_id, ("class_id",)))
        .select_from(wanted)
        .join(image, and_(image.c.path == wanted.c.value, image.c.run_id == source_id))
        .order_by(wanted.c.key)
    )
    connection.execute(insert(Image).from_select(_names(Image), found))
    old, new = aliased(Image), aliased(Image)
    pairs = (
        select(old.id.label("old"), new.id.label("new"))
        .join(new, and_(new.path == old.path, new.run_id == run_id))
        .where(old.run_id == source_id, in_texts(old.path, paths))
    )
    images = pairs.subquery()
    for table, classes in (
        (Thumbnail, ()),
        (ImageEmbedding, ()),
        (Prediction, ("class_id", "predicted_class_id")),
        (PredictionTop, ("class_id",)),
        (Witness, ("predicted_class_id",)),
        (Relevance, ("target_class_id",)),
        (Region, ()),
    ):
        _copy(connection, table, "image_id", images, run_id, classes)
    _copy(connection, Embedding, "region_id", _regions(images), run_id)
    added = select(Image.path, Image.id).where(Image.run_id == run_id, in_texts(Image.path, paths))
    return {path: number for path, number in connection.execute(added)}  # noqa: C416


def copy_captions(connection: Connection, run_id: int, class_id: int, source_class_id: int) -> int:
    """Copy the captions of a class's regions that have none; return how many regions got one.

    Those of images of the same path and content, and of the same role and rank.
    """
    old, new = aliased(Image), aliased(Image)
    images = (
        select(old.id.label("old"), new.id.label("new"))
        .join(new, and_(new.path == old.path, new.content_hash == old.content_hash))
        .where(old.class_id == source_class_id, new.class_id == class_id)
        .subquery()
    )
    regions = _regions(images)
    texts = select(RegionCaption.caption_id).join(regions, regions.c.old == RegionCaption.region_id)
    said = (
        select(*_columns(Caption, {"run_id": literal(run_id)}, run_id))
        .where(Caption.id.in_(texts))
        .order_by(Caption.id)
    )
    connection.execute(
        sqlite.insert(Caption).from_select(_names(Caption), said).on_conflict_do_nothing()
    )
    before, after, held = aliased(Caption), aliased(Caption), aliased(RegionCaption)
    changed: dict[str, ColumnElement[Any]] = {
        "region_id": regions.c.new,
        "caption_id": after.id.expression,
        "class_id": literal(class_id),
    }
    copied: Query = (
        select(*_columns(RegionCaption, changed, run_id))
        .join(regions, regions.c.old == RegionCaption.region_id)
        .join(before, before.id == RegionCaption.caption_id)
        .join(after, and_(after.text == before.text, after.run_id == run_id))
        .where(~exists().where(held.region_id == regions.c.new))
        .order_by(regions.c.new)
    )
    result = connection.execute(insert(RegionCaption).from_select(_names(RegionCaption), copied))
    return result.rowcount


def _regions(images: Subquery) -> Subquery:
    """Return the pairs of regions of the same role and rank of pairs of images."""
    old, new = aliased(Region), aliased(Region)
    return (
        select(old.id.label("old"), new.id.label("new"))
        .join(images, images.c.old == old.image_id)
        .join(
            new,
            and_(new.image_id == images.c.new, new.role == old.role, new.rank == old.rank),
        )
        .subquery()
    )


def _copy(
    connection: Connection,
    table: type[Base],
    owner: str,
    pairs: Subquery,
    run_id: int,
    classes: Sequence[str] = (),
) -> None:
    """Copy the rows of old owners to the new ones, in their order."""
    columns = table.__table__.c
    changed: dict[str, ColumnElement[Any]] = {owner: pairs.c.new}
    if "run_id" in columns:
        changed["run_id"] = literal(run_id)
    rows = (
        select(*_columns(table, changed, run_id, classes))
        .join(pairs, pairs.c.old == columns[owner])
        .order_by(*(column for column in columns if column.primary_key))
    )
    connection.execute(insert(table).from_select(_names(table), rows))


def _columns(
    table: type[Base],
    changed: Mapping[str, ColumnElement[Any]],
    run_id: int,
    classes: Sequence[str] = (),
) -> list[ColumnElement[Any]]:
    """Return what to select for copies: `classes` become the run's classes of the same place."""
    old, new = aliased(ClassName), aliased(ClassName)
    found: list[ColumnElement[Any]] = []
    for name in _names(table):
        column = table.__table__.c[name]
        if name in classes:
            same = (
                select(new.id)
                .join(old, old.position == new.position)
                .where(old.id == column, new.run_id == run_id)
                .correlate(table.__table__)
            )
            found.append(same.scalar_subquery())
        else:
            found.append(changed.get(name, column))
    return found


def _names(table: type[Base]) -> list[str]:
    """Return the columns of a table, but for a number that SQLite gives each row."""
    return [column.name for column in table.__table__.columns if column.name != "id"]
