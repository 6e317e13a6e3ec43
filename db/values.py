"""Values as their columns hold them, checked: SQLite keeps a value of any type in any column."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from types import UnionType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

from db.errors import StoreError

Record = TypeVar("Record")


def json_of(text: Any) -> Any:
    """Return the value of a JSON text; StoreError on text that is not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError("a stored JSON value is damaged: run the job again") from error


def _refuse(name: str) -> float:
    raise ValueError(f"JSON has no {name}")


def moment_of(seconds: Any) -> datetime | None:
    """Return the moment so many seconds after 1970, in UTC; StoreError if there is none such."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise StoreError("a stored date is damaged: run the job again") from error


def whole_of(value: Any) -> int | None:
    """Return a stored integer; StoreError on any other type."""
    if type(value) is int or value is None:
        return value
    raise StoreError("a stored number is damaged: it is no integer")


def number_of(value: Any) -> float | None:
    """Return a stored number; StoreError on any other type, and where it is not finite."""
    number = any_number_of(value)
    if number is None or isfinite(number):
        return number
    raise StoreError("a stored number is damaged: it is not finite")


def any_number_of(value: Any) -> float | None:
    """Return a stored number, which may be infinite; StoreError on any other type."""
    if type(value) is float or value is None:
        return value
    if type(value) is int:
        return float(value)
    raise StoreError("a stored number is damaged: it is of another type")


def truth_of(value: Any) -> bool | None:
    """Return what is stored as 0 or 1; StoreError on any other value."""
    if value is None:
        return None
    if type(value) is int and value in (0, 1):
        return value == 1
    raise StoreError("a stored truth value is damaged: it is neither 0 nor 1")


def text_of(value: Any) -> str | None:
    """Return a stored text; StoreError on any other type."""
    if type(value) is str or value is None:
        return value
    raise StoreError("a stored text is damaged: it is of another type")


def row_values(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return a row's values as records of a kind can hold them.

    A JSON value that is no dict or list where one belongs is read as an empty one: the rest of the
    row can be shown. StoreError where a value is missing that the record cannot do without.
    """
    needed, containers = _demands(kind)  # type: ignore[arg-type]
    for name in needed:
        if values.get(name, name) is None:
            raise StoreError(f"a stored {kind.__name__} is damaged: it has no {name}")
    for name, shape in containers.items():
        if name in values:
            values[name] = shape(values[name])
    return values


@cache
def _demands(kind: type[Any]) -> tuple[tuple[str, ...], dict[str, Callable[[Any], Any]]]:
    """Return the fields of a record that may not be None, and how its JSON fields are shaped."""
    # As text: some records leave their annotations unevaluated, so that numpy is not loaded.
    stated = {
        field.name: field.type if isinstance(field.type, str) else _stated(field.type)
        for field in fields(kind)
    }
    needed = tuple(name for name, text in stated.items() if "None" not in text)
    shaped = {name: _SHAPES[text] for name, text in stated.items() if text in _SHAPES}
    return needed, shaped


def _stated(annotation: Any) -> str:
    return annotation.__name__ if type(annotation) is type else str(annotation)


_SHAPES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "dict[str, typing.Any]": lambda value: value if isinstance(value, dict) else {},
    "list[str]": lambda value: [str(each) for each in value] if isinstance(value, list) else [],
    "list[dict[str, typing.Any]]": lambda value: (
        [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    ),
}

_READERS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    int: whole_of,
    float: number_of,
    bool: truth_of,
    str: text_of,
    datetime: moment_of,
    dict: json_of,
    list: json_of,
}
"""How the fields of a record are read from what sqlite3 alone gives of their columns."""


def read_row(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """Return a record of a kind from the bare values of a row, each checked by its field's type."""
    read = {name: reader(values[name]) for name, reader in _readers(kind).items()}  # type: ignore[arg-type]
    return kind(**row_values(kind, read))


@cache
def _readers(kind: type[Any]) -> dict[str, Callable[[Any], Any]]:
    return {field.name: _READERS[_plain(field.type)] for field in fields(kind)}


def _plain(annotation: Any) -> Any:
    """Return the type that an annotation comes down to: `int | None` is int, a Literal is str."""
    if isinstance(annotation, UnionType):
        [annotation] = [each for each in get_args(annotation) if each is not type(None)]
    return str if get_origin(annotation) is Literal else get_origin(annotation) or annotation
