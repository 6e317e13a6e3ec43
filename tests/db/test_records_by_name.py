"""Rows become records, and records rows, by the names of columns and fields alone."""

from dataclasses import dataclass, fields
from typing import Any

import pytest
from sqlalchemy import select, text

from db import schema
from db.records import Image
from db.rows import NewImage
from db.sql import columns_of, records, row_of, with_box


def test_the_order_of_columns_does_not_matter(store: Any) -> None:
    columns = columns_of(
        Image,
        schema.Image,
        schema.Prediction,
        class_name=schema.ClassName.name,
        predicted_name=schema.ClassName.label,
        witness_name=None,
        witness_probability=None,
    )
    shuffled = [columns[i] for i in (7, 3, 18, 12, 0, 5, 9, 1, 16, 10, 8, 2, 14, 6, 17, 4, 13)]
    query = (
        select(*shuffled, columns[11], columns[15])
        .join(schema.ClassName, schema.ClassName.id == schema.Image.class_id)
        .join(schema.Prediction, schema.Prediction.image_id == schema.Image.id)
        .where(schema.Image.path == "tabby/1.jpg")
    )
    with store.engine.connect() as connection:
        [found] = records(Image, connection.execute(query))
    assert (found.path, found.class_name, found.box) == ("tabby/1.jpg", "tabby", (1, 2, 3, 4))
    assert (found.file_size, found.height, found.true_rank, found.margin) == (1000, 48, 1, 3.0)


def test_every_field_has_a_column_under_its_name() -> None:
    table = schema.Image
    named: dict[str, Any] = {
        "class_name": table.path,
        "predicted_name": table.path,
        "witness_name": table.path,
    }
    named["witness_probability"] = table.width
    names = [column.name for column in columns_of(Image, table, schema.Prediction, **named)]
    wanted = [field.name for field in fields(Image)]
    at = wanted.index("box")
    assert names == [*wanted[:at], "x0", "y0", "x1", "y1", *wanted[at + 1 :]]


def test_the_first_table_that_has_a_column_gives_it() -> None:
    @dataclass
    class Pair:
        class_id: int
        margin: float

    for tables, owner in (
        ((schema.Image, schema.Prediction), "image"),
        ((schema.Prediction, schema.Image), "prediction"),
    ):
        [class_id, margin] = columns_of(Pair, *tables)
        assert class_id.element.table.name == owner
        assert margin.element.table.name == "prediction"


def test_a_field_without_a_column_and_a_column_without_a_field_are_mistakes(store: Any) -> None:
    @dataclass
    class Odd:
        id: int
        weight: float

    with pytest.raises(AttributeError, match="weight"):
        columns_of(Odd, schema.Image)
    with store.engine.connect() as connection:
        with pytest.raises(TypeError, match="weight"):
            records(Odd, connection.execute(text("SELECT id FROM image")))
        with pytest.raises(TypeError, match="path"):
            records(Odd, connection.execute(text("SELECT id, 1.5 AS weight, path FROM image")))


@pytest.mark.parametrize("box", [None, (1.0, 2.0, 3.0, 4.0)])
def test_a_box_is_laid_out_and_folded_again(box: Any) -> None:
    row = row_of(NewImage("a.jpg", 7, width=5, box=box, thumbnail=b"x"), without={"thumbnail"})
    assert "box" not in row
    assert "thumbnail" not in row
    assert (row["path"], row["class_id"], row["width"]) == ("a.jpg", 7, 5)
    assert with_box(row)["box"] == box
    assert not {"x0", "y0", "x1", "y1"} & set(row)
