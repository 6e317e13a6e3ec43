"""The rows of an export: what the store holds of a run and your verdicts, cleaned and checked."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Engine

from db.errors import StoreError
from db.queries.export import row_count, rows
from db.queries.export_tables import TABLES, Column, Kind
from db.records import Run
from db.values import json_of
from db.verdicts import (
    Verdict,
    Verdicts,
    beside,
    name_of_finding,
    read_verdicts,
    verdict_on_finding,
)
from mapcap.errors import UserError
from mapcap.export.formats import Row
from mapcap.text import clean

Marks: TypeAlias = Verdicts

VERDICTS: Final = "verdicts"
_ROWS: Final = {
    **{name: table.row for name, table in TABLES.items()},
    VERDICTS: "a verdict of yours",
}
NAMES: Final = tuple(_ROWS)

_MARK: Final = (
    Column("verdict", "text", "your verdict, such as label wrong, fine or noise"),
    Column("note", "text", "what you wrote beside it"),
)
_VERDICT_COLUMNS: Final = (
    Column("about", "text", "image, class or finding"),
    Column("name", "text",
           "path of the image, label of the class, or label: kind: subject of the finding"),
    *_MARK,
    Column("made", "moment", "when, in UTC"),
    Column("right_label", "text", "of a wrong label, the right one; empty where no class is right"),
    Column("title", "text", "of a finding, label: title as it was judged"),
)  # fmt: skip
# The columns by which a verdict names the rows of a table.
_MARKED: Final = {
    "images": ("path",),
    "classes": ("label",),
    "findings": ("label", "kind", "subject", "title"),
}


def one_row(table: str) -> str:
    """Return what a row of an export is."""
    return _ROWS[table]


def columns(table: str) -> tuple[Column, ...]:
    """Return the columns of an export, in their order."""
    if table == VERDICTS:
        return _VERDICT_COLUMNS
    return TABLES[table].columns + (_MARK if table in _MARKED else ())


def read_marks(run: Run, db: Path, verdicts: Path | None) -> Marks:
    """Return the verdicts on a run from the file given, or from the one beside the store.

    Raises:
        UserError: for a file given that is not there.
        StoreError: for one that cannot be used.
    """
    if verdicts is not None and not verdicts.exists():
        raise UserError(f"--verdicts {clean(str(verdicts))} does not exist: check the name")
    return read_verdicts(beside(db) if verdicts is None else verdicts, run.config_hash)


def count(engine: Engine, run: Run, table: str, marks: Marks) -> int:
    """Return how many rows an export has."""
    return len(marks) if table == VERDICTS else row_count(engine, run.id, table)


def chunks(
    engine: Engine, run: Run, table: str, marks: Marks, *, size: int = 10_000
) -> Iterator[list[Row]]:
    """Yield the rows of an export in chunks of at most `size`; nothing more is held at once.

    Text is without control characters, as on the terminal; JSON is text in one line of ASCII; a
    number that is not finite is missing.

    Raises:
        StoreError: for a stored value that is not of its column's kind.
    """
    makers = [_MAKERS[column.kind] for column in columns(table)]
    for part in _read_parts(engine, run, table, marks, size):
        try:
            yield [[make(value) for make, value in zip(makers, row, strict=True)] for row in part]
        except (TypeError, ValueError) as error:
            raise StoreError(f"a value in {table} is damaged: index the photos again") from error


def _read_parts(
    engine: Engine, run: Run, table: str, marks: Marks, size: int
) -> Iterator[Iterable[Row]]:
    if table == VERDICTS:
        ordered = sorted(marks.values(), key=lambda verdict: (verdict.kind, verdict.name))
        yield [(v.kind, v.name, v.mark, v.note, v.made, v.right_label, v.title) for v in ordered]
        return
    parts = rows(engine, run.id, table, chunk=size)
    if table not in _MARKED:
        yield from parts
        return
    names = [column.name for column in columns(table)]
    positions = [names.index(key) for key in _MARKED[table]]
    for part in parts:
        yield [
            (*row, *_verdict_cells(_verdict_on(table, marks, [row[at] for at in positions])))
            for row in part
        ]


def _verdict_on(table: str, marks: Marks, keys: Sequence[Any]) -> Verdict | None:
    """Return the verdict on a row of a table, by what it has in the columns of `_MARKED`."""
    if table == "findings":
        return verdict_on_finding(marks, name_of_finding(*keys))
    return marks.get(("image" if table == "images" else "class", *keys))


def _verdict_cells(verdict: Verdict | None) -> tuple[str | None, str | None]:
    return (None, None) if verdict is None else (verdict.mark, verdict.note)


def _text(value: Any) -> str:
    text = str(value)
    # What is printable needs no cleaning, which looks at every character.
    return text if text.isprintable() else clean(text)


def _integer(value: Any) -> int:
    # SQLite columns take values of any type, and the file may come from anybody.
    if type(value) is not int:
        raise TypeError("not an integer")
    return value


def _float(value: Any) -> float | None:
    return float(value) if isfinite(value) else None


def _json(value: Any) -> str:
    return json.dumps(json_of(value), separators=(",", ":"), allow_nan=False)


def _same(value: Any) -> Any:
    return value


def _unless_missing(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else make(value)


_MAKERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    "text": _unless_missing(_text),
    "integer": _unless_missing(_integer),
    "float": _unless_missing(_float),
    "boolean": _unless_missing(bool),
    "json": _unless_missing(_json),
    "moment": _same,
}
