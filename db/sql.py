"""Small pieces of SQL that reads and writes share."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    case,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from db.codecs import decode_stack
from db.records import Vectors
from db.schema import Base, ClassName, Finding, RegionCaption
from db.types import blob_of

# A select whose rows go into a record: their types are the record's business.
Query: TypeAlias = "Select[*tuple[Any, ...]]"


def among(column: InstrumentedAttribute[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """Return the condition that a column is one of any number of ids.

    They travel as one JSON parameter: SQLite allows only so many parameters to a statement.
    """
    return _listed(column, [int(number) for number in ids])


def among_texts(column: InstrumentedAttribute[str], texts: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column is one of any number of texts; see `among`."""
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


def finding_kind() -> ColumnElement[str]:
    """Return a finding's kind as it is called today: files of format 2 say `mark`."""
    kind = Finding.kind
    return type_coerce(case((kind == "mark", "watermark"), else_=kind), kind.type)


def boxed(row: Sequence[Any], at: int) -> list[Any]:
    """Return a row's values with the four columns from `at` folded into one box, or None."""
    box = None if row[at] is None else tuple(row[at : at + 4])
    return [*row[:at], box, *row[at + 4 :]]


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
