"""An export's rows as a data frame of pandas or polars, whichever is installed."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from db.queries.export_tables import Column, Kind
from mapcap.errors import UserError
from mapcap.export.formats import Row

LIBRARIES: Final = ("pandas", "polars")

# Types that can hold a missing value beside the others.
_PANDAS: Final[dict[Kind, str]] = {
    "text": "object",
    "integer": "Int64",
    "float": "Float64",
    "boolean": "boolean",
    "json": "object",
    "moment": "datetime64[us, UTC]",
}
_POLARS: Final[dict[Kind, str]] = {
    "text": "String",
    "integer": "Int64",
    "float": "Float64",
    "boolean": "Boolean",
    "json": "String",
}


def frame(columns: Sequence[Column], chunks: Iterable[Sequence[Row]], library: str | None) -> Any:
    """Return rows as a data frame; `library` None takes the first of `LIBRARIES` that is there.

    Raises:
        UserError: for another library, or one that is not installed.
    """
    chosen = _chosen(library)
    rows = [row for chunk in chunks for row in chunk]
    values = {column.name: [row[at] for row in rows] for at, column in enumerate(columns)}
    module = import_module(chosen)
    if chosen == "pandas":
        return module.DataFrame(
            {
                column.name: module.Series(values[column.name], dtype=_PANDAS[column.kind])
                for column in columns
            }
        )
    moment = module.Datetime("us", "UTC")
    types = {
        column.name: moment if column.kind == "moment" else getattr(module, _POLARS[column.kind])
        for column in columns
    }
    return module.DataFrame(values, schema=types)


def _chosen(library: str | None) -> str:
    if library is not None and library not in LIBRARIES:
        raise UserError(f"library {library!r}: give one of {', '.join(LIBRARIES)}.")
    wanted = LIBRARIES if library is None else (library,)
    there = [name for name in wanted if find_spec(name) is not None]
    if not there:
        raise UserError(
            f"a table needs {' or '.join(wanted)}: pip install {wanted[0]}. Records need neither."
        )
    return there[0]
