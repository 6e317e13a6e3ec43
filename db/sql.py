"""Small pieces of SQL that reads and writes share."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Result,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from db.codecs import decode_stack
from db.records import Box, Vectors
from db.schema import Base, ClassName, Embedding, Finding, Prediction, Region, RegionCaption
from db.types import blob_of
from db.values import row_values

# A select whose rows go into a record: their types are the record's business.
Query: TypeAlias = "Select[*tuple[Any, ...]]"
Record = TypeVar("Record")

# The columns of a box.
_CORNERS: Final = ("x0", "y0", "x1", "y1")


def in_ids(column: InstrumentedAttribute[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of any number of ids.

    They travel as one JSON parameter: SQLite allows only so many parameters to a statement.
    """
    return _listed(column, [int(number) for number in ids])


def in_texts(column: InstrumentedAttribute[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column is one of any number of texts; see `in_ids`."""
    return _listed(column, list(texts))


def _listed(column: InstrumentedAttribute[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    listed = json.dumps(values)
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))


def merge(table: type[Base], keys: Sequence[str], columns: Iterable[str]) -> Insert:
    """Return an insert that updates `columns` of the row that has the same natural key."""
    statement = insert(table)
    names = [name for name in columns if name not in keys]
    # Where nothing changes, one key takes its own value: only an updated row is returned.
    changed = {name: statement.excluded[name] for name in names or keys[:1]}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def upsert(
    connection: Connection,
    table: type[Base],
    keys: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Insert rows, or update those that have the same natural key."""
    if rows:
        connection.execute(merge(table, keys, rows[0]), rows)


def contains(words: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that one of the columns holds the words as they stand, in any case.

    SQLite folds the case of ASCII letters only, and refuses patterns beyond its limit: the first
    1,000 characters decide.
    """
    return or_(*(column.contains(words[:1000], autoescape=True) for column in columns))


def audit_basis() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return what an audit rests on, per row of `ClassName`: its predictions, its captions."""
    captioned = select(func.count()).where(RegionCaption.class_id == ClassName.id).scalar_subquery()
    return ClassName.predicted.expression, captioned


def judged() -> ColumnElement[bool | None]:
    """Return whether a prediction is correct, null where nobody labelled the image.

    Its class is then the predicted one, and of a true class there is no rank.
    """
    unknown = and_(Prediction.correct, Prediction.true_rank.is_(None))
    return type_coerce(case((unknown, None), else_=Prediction.correct), Prediction.correct.type)


def finding_kind() -> ColumnElement[str]:
    """Return a finding's kind as it is called today: files of format 2 say `mark`."""
    kind = Finding.kind
    return type_coerce(case((kind == "mark", "watermark"), else_=kind), kind.type)


def columns_of(kind: type[Any], /, *tables: Any, **named: Any) -> list[ColumnElement[Any]]:
    """Return what to select for records of a kind: a column for each field, under its name.

    That is the one of `named`, or else the one of the first of `tables` that has it. The field
    `box` stands for the columns of its corners; one that is named None is left to its default.
    AttributeError for a field that no table has.
    """
    names: list[str] = []
    for field in fields(kind):
        names += _CORNERS if field.name == "box" else [field.name]
    for name in set(names) - set(named):
        owner = next((table for table in tables if hasattr(table, name)), tables[0])
        named[name] = getattr(owner, name)
    return [named[name].label(name) for name in names if named[name] is not None]


def records(kind: type[Record], rows: Result[*tuple[Any, ...]]) -> list[Record]:
    """Return rows as records of a kind, each field from the column of its name."""
    names = tuple(rows.keys())
    return [kind(**row_values(kind, with_box(dict(zip(names, row, strict=True))))) for row in rows]


def with_box(values: dict[str, Any]) -> dict[str, Any]:
    """Return a row's values, its four corners, if it has any, folded into one box or None."""
    if "x0" in values:
        corners = tuple(values.pop(name) for name in _CORNERS)
        values["box"] = None if None in corners else corners
    return values


def row_of(new: Any, *, without: Container[str] = ()) -> dict[str, Any]:
    """Return the values of a new row by column, a box as its corners."""
    values = {
        field.name: getattr(new, field.name) for field in fields(new) if field.name not in without
    }
    if "box" in values:
        values |= corners_of(values.pop("box"))
    return values


def corners_of(box: Box | None) -> dict[str, float | None]:
    """Return a box by column, as `with_box` folds it."""
    return dict(zip(_CORNERS, box or (None, None, None, None), strict=True))


def stack(connection: Connection, query: Query) -> Vectors:
    """Run a query for ids, embedding blobs and norms, and return them as arrays."""
    rows = connection.execute(query).all()
    return Vectors(
        ids=np.array([row[0] for row in rows], np.int64),
        vectors=decode_stack([blob_of(row[1]) for row in rows]),
        norms=np.array([row[2] for row in rows], np.float32),
    )


def raw(column: InstrumentedAttribute[NDArray[np.float16]]) -> ColumnElement[bytes]:
    """Return an array column as its blobs, for `stack`, which takes many apart at once."""
    return type_coerce(column, LargeBinary)


def embedded(run_id: int, representation: str, after: int) -> Query:
    """Return the query, for `stack`, of a run's region embeddings beyond region `after`, by id."""
    table = Embedding
    return (
        select(table.region_id, raw(table.vector), table.norm)
        .join(Region, Region.id == table.region_id)
        .where(
            # Not by the index of the run, which knows no order of regions: it would be read again,
            # and what it gives sorted, for every chunk.
            Region.run_id + 0 == run_id,
            table.representation == representation,
            table.region_id > after,
        )
        .order_by(table.region_id)
    )
