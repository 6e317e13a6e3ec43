"""The formats of an export: CSV, JSON lines and Parquet, each written chunk by chunk.

In CSV, a text that a spreadsheet would take for a formula gets an apostrophe in front. Where
apostrophes and then such a sign begin a text, taking one apostrophe away gives it back.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from io import TextIOWrapper
from typing import Any, BinaryIO, Final, TypeAlias

from db.queries.export_tables import Column
from mapcap.errors import UserError

Row: TypeAlias = Sequence[Any]
Chunks: TypeAlias = Iterable[Sequence[Row]]
Writer: TypeAlias = Callable[[BinaryIO, Sequence[Column], Chunks], int]

# Signs that begin a formula, also in their wide forms, which some spreadsheets take too.
_FORMULA: Final = re.compile("'*[=+\\-@＝＋－＠]")


def writer(name: str) -> Writer:
    """Return what writes a format: of a file, the columns and the chunks; it returns the rows.

    Raises UserError where the format needs a package that is not installed.
    """
    if name == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise UserError(
                "--format parquet needs pyarrow: pip install 'mapcap[parquet]'. "
                "Or choose csv or jsonl"
            ) from error
    return _WRITERS[name]


def write_csv(file: BinaryIO, columns: Sequence[Column], chunks: Chunks) -> int:
    """Write a header and a line a row, UTF-8; what is missing is an empty cell."""
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(column.name for column in columns)
    rows = 0
    for chunk in chunks:
        rows += len(chunk)
        lines.writerows([_cell(value) for value in row] for row in chunk)
    text.flush()
    # The file is the caller's to close.
    text.detach()
    return rows


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return "'" + value if _FORMULA.match(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value


def write_jsonl(file: BinaryIO, columns: Sequence[Column], chunks: Chunks) -> int:
    """Write an object a line, ASCII; what is missing is null."""
    names = [column.name for column in columns]
    nested = [at for at, column in enumerate(columns) if column.kind == "json"]
    rows = 0
    for chunk in chunks:
        rows += len(chunk)
        for row in chunk:
            values = list(row)
            for at in nested:
                values[at] = None if values[at] is None else json.loads(values[at])
            line = json.dumps(dict(zip(names, values, strict=True)), default=_moment)
            file.write(line.encode("ascii") + b"\n")
    return rows


def _moment(value: datetime) -> str:
    return value.isoformat()


def write_parquet(file: BinaryIO, columns: Sequence[Column], chunks: Chunks) -> int:
    """Write typed columns, a row group a chunk; JSON is a column of text."""
    import pyarrow as arrow
    from pyarrow.parquet import ParquetWriter

    types = {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "float": arrow.float64(),
        "boolean": arrow.bool_(),
        "json": arrow.string(),
        "moment": arrow.timestamp("us", "UTC"),
    }
    schema = arrow.schema([(column.name, types[column.kind]) for column in columns])
    rows = 0
    with ParquetWriter(file, schema, compression="zstd") as written:
        for chunk in filter(len, chunks):
            rows += len(chunk)
            arrays = [
                arrow.array(values, field.type)
                for values, field in zip(zip(*chunk, strict=True), schema, strict=True)
            ]
            written.write_table(arrow.Table.from_arrays(arrays, schema=schema))
    return rows


_WRITERS: Final[dict[str, Writer]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}
FORMATS: Final = tuple(_WRITERS)
