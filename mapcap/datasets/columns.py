"""Tables from outside whose columns have names: CSV, TSV and Parquet, a record a row."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mapcap.datasets.records import shown
from mapcap.datasets.tables import rows
from mapcap.errors import UserError

TABLES = frozenset({".csv", ".tsv", ".txt"})
PARQUET = frozenset({".parquet", ".pq"})

Choose = Callable[[list[str]], Sequence[str]]
"""The columns that are wanted of those that a table has; raises `UserError` for wrong ones."""


def named_rows(path: Path, option: str, choose: Choose) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each row of a table under the names of its columns, with its place: `line 3`, `row 2`.

    Cells of CSV and TSV are stripped text, those of Parquet as they are stored.

    Raises:
        UserError: naming `option`, the file and the line, for a file that is no such table.
    """
    if path.suffix.lower() in PARQUET:
        return _parquet(path, option, choose)
    return _text(path, option, choose)


def _text(path: Path, option: str, choose: Choose) -> Iterator[tuple[str, dict[str, Any]]]:
    header: list[str] = []
    wanted: frozenset[str] = frozenset()
    for line, cells in rows(path, option):
        if not header:
            header = cells
            wanted = frozenset(choose(header))
        elif len(cells) != len(header):
            raise UserError(
                f"{option}: {shown(path)}, line {line}: {len(cells)} cells under {len(header)} "
                "columns. Put cells that hold a comma in quotes."
            )
        else:
            named = zip(header, cells, strict=True)
            yield f"line {line}", {name: cell for name, cell in named if name in wanted}


def _parquet(path: Path, option: str, choose: Choose) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError(
            f"{option}: {shown(path)} needs pyarrow: pip install 'mapcap[parquet]'. "
            "Or save it as CSV."
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            wanted = list(choose(list(file.schema_arrow.names)))
            first = 1
            for batch in file.iter_batches(columns=wanted):
                for number, values in enumerate(batch.to_pylist(), start=first):
                    yield f"row {number}", values
                first += batch.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise UserError(
            f"{option}: {shown(path)} cannot be read as Parquet: {shown(str(error))[:200]}"
        ) from error
