"""A file of predictions by its ending: tables, JSON, matrices."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mapcap.datasets.columns import CLASS, PATH, pick
from mapcap.datasets.encodings import read_text
from mapcap.datasets.records import shown
from mapcap.datasets.tables import DELIMITED, JSON, JSON_LINES, TABLES, json_values, open_table
from mapcap.errors import UserError
from mapcap.predictions.forms import Row, read_table
from mapcap.predictions.matrices import MATRICES, read_matrix
from mapcap.predictions.records import OPTION, Table


def read_file(file: Path, paths_file: Path | None) -> Table:
    """Read a file of predictions; `paths_file` names the photo of each row, one a line.

    Raises:
        UserError: for a file that is missing or cannot be read as what its ending says.
    """
    if not file.is_file():
        raise UserError(f"{OPTION}: {shown(file)}: there is no such file. Check the path.")
    paths = None if paths_file is None else read_lines(paths_file, "--prediction-paths")
    ending = file.suffix.lower()
    if ending in MATRICES:
        return read_matrix(file, paths)
    if ending in JSON_LINES | JSON:
        return read_table(file, _json(file), paths)
    if ending in TABLES:
        # All columns: which of them are needed is told by their names together.
        return read_table(file, open_table(file, OPTION).records(), paths)
    raise UserError(
        f"{OPTION}: {shown(file)}: the name ends in none of .csv, .tsv, .jsonl, .json, .parquet, "
        ".npy, .npz, .safetensors. Rename it to what it is."
    )


def read_lines(file: Path, option: str) -> list[str]:
    """Return the lines of a text that are not blank, stripped; of a table its one column.

    Raises:
        UserError: for a file that is missing, empty or no text.
    """
    lines = _column(file, option) if file.suffix.lower() in DELIMITED - {".txt"} else None
    if lines is None:
        lines = [line.strip() for line in read_text(file, option).split("\n") if line.strip()]
    if not lines:
        raise UserError(f"{option}: {shown(file)} is empty. Write one a line.")
    return lines


def _column(file: Path, option: str) -> list[str] | None:
    """Return the cells of a table with one column that is wanted; None where none is called so."""
    table = open_table(file, option)
    wanted = PATH if option == "--prediction-paths" else CLASS
    column = pick(table, {"column": wanted}).get("column")
    if column is not None:
        return [str(record[column]) for _, record in table.records([column])]
    rows = [cells for _, cells in table.lines()]
    # A path may hold a comma that nobody quoted: then each line is one.
    return [str(cells[0]) for cells in rows] if all(len(cells) == 1 for cells in rows) else None


def _json(file: Path) -> Iterator[Row]:
    """Yield the objects of JSON lines, of a list, or of an object by path (timm's)."""
    for place, value in json_values(file, OPTION):
        if file.suffix.lower() in JSON and isinstance(value, dict):
            records = _records(value)
            for number, record in enumerate(records, start=1):
                where = f"entry {number}" if len(records) > 1 else place
                yield where, _object(record, file, where)
        else:
            yield place, _object(value, file, place)


def _records(data: dict[str, Any]) -> Sequence[Any]:
    """Return the records of an object: by path, or the object itself."""
    if data and all(isinstance(value, dict) for value in data.values()):
        return [{"path": path, **value} for path, value in data.items()]
    if data and all(isinstance(value, list) for value in data.values()):
        return [{"path": path, "prediction": value} for path, value in data.items()]
    return [data]


def _object(record: Any, file: Path, where: str) -> dict[str, Any]:
    if isinstance(record, list):  # a pipeline's answer alone; --prediction-paths names its photo
        return {"prediction": record}
    if not isinstance(record, dict):
        raise UserError(
            f'{OPTION}: {shown(file)}, {where}: expected an object such as {{"path": "a.jpg", '
            '"prediction": "cat"}.'
        )
    return record
