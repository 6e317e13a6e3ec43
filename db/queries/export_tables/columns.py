"""What a table of an export is made of, and the columns that several have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from db import schema
from db.sql import Query
from db.types import AnyNumber, SafeText

Kind = Literal["text", "integer", "float", "boolean", "json", "moment"]
Value: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Column:
    """A column of an export: its name, what it holds, and what that means."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table that can be exported: what one of its rows is, its columns, and its query.

    The query gives the columns in their order; it lacks its run.
    """

    row: str
    columns: tuple[Column, ...]
    query: Query


Stated: TypeAlias = tuple[str, Kind, Value, str]
"""A column's name, kind, value in SQL, and meaning."""

LABEL: Final[Stated] = (
    "label", "text", schema.ClassName.label, "what the data set calls the class, unique in a run",
)  # fmt: skip
NAME: Final[Stated] = (
    "class",
    "text",
    schema.ClassName.name,
    "the class in words, as the model reads it",
)
PATH: Final[Stated] = (
    "path",
    "text",
    schema.Image.path,
    "the image below the data set, unique in a run",
)
# JSON stays the text that it is stored as, and an infinite number is for the export to leave out.
_READ_AS: Final[Mapping[str, type[TypeEngine[Any]]]] = {"json": SafeText, "float": AnyNumber}


def begin(row: str, stated: Sequence[Stated]) -> tuple[str, tuple[Column, ...], Query]:
    """Return a table's row, its columns, and the beginning of its query."""
    columns = tuple(Column(name, kind, meaning) for name, kind, _, meaning in stated)
    values = [
        type_coerce(value, _READ_AS[kind]) if kind in _READ_AS else value
        for _, kind, value, _ in stated
    ]
    return row, columns, select(*(value.label(f"c{at}") for at, value in enumerate(values)))
