"""A file of predictions by its ending: tables, JSON, matrices."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mapcap.datasets.columns import PARQUET, TABLES, named_rows
from mapcap.datasets.records import shown
from mapcap.errors import UserError
from mapcap.predictions.forms import Row, read_table
from mapcap.predictions.matrices import MATRICES, read_matrix
from mapcap.predictions.records import OPTION, Table

_LINES = frozenset({".jsonl", ".ndjson"})


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
    if ending in TABLES | PARQUET:
        # All columns: which of them are needed is told by their names together.
        return read_table(file, named_rows(file, OPTION, lambda columns: columns), paths)
    if ending in _LINES or ending == ".json":
        return read_table(file, _json(file, lines=ending != ".json"), paths)
    raise UserError(
        f"{OPTION}: {shown(file)}: the name ends in none of .csv, .tsv, .jsonl, .json, .parquet, "
        ".npy, .npz, .safetensors. Rename it to what it is."
    )


def read_lines(file: Path, option: str) -> list[str]:
    """Return the lines of a text that are not blank, stripped.

    Raises:
        UserError: for a file that is missing, empty or not UTF-8.
    """
    lines = [line.strip() for line in read_text(file, option).split("\n") if line.strip()]
    if not lines:
        raise UserError(f"{option}: {shown(file)} is empty. Write one a line.")
    return lines


def read_text(file: Path, option: str) -> str:
    """Return a text; UserError for a file that is missing or not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{option}: {shown(file)} is not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise UserError(f"{option}: {shown(file)} cannot be read: {error.strerror}.") from error


def _json(file: Path, *, lines: bool) -> Iterator[Row]:
    """Yield the objects of JSON lines, of a list, or of an object by path (timm's)."""
    whole = read_text(file, OPTION)
    texts = enumerate(whole.split("\n"), start=1) if lines else [(1, whole)]
    for number, text in texts:
        if not text.strip():
            continue
        where = f"line {number}"
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            place = f"{shown(file)}, {where}" if lines else shown(file)
            raise UserError(f"{OPTION}: {place}: not JSON: {shown(str(error))[:100]}.") from error
        if lines:
            yield where, _object(data, file, where)
            continue
        for entry, each in enumerate(_records(data), start=1):
            yield f"entry {entry}", _object(each, file, f"entry {entry}")


def _records(data: Any) -> Sequence[Any]:
    if isinstance(data, dict) and all(isinstance(value, dict) for value in data.values()):
        return [{"path": path, **value} for path, value in data.items()]
    if isinstance(data, dict) and all(isinstance(value, list) for value in data.values()):
        return [{"path": path, "prediction": value} for path, value in data.items()]
    return data if isinstance(data, list) else [data]


def _object(record: Any, file: Path, where: str) -> dict[str, Any]:
    if isinstance(record, list):  # a pipeline's answer alone; --prediction-paths names its photo
        return {"prediction": record}
    if not isinstance(record, dict):
        raise UserError(
            f'{OPTION}: {shown(file)}, {where}: expected an object such as {{"path": "a.jpg", '
            '"prediction": "cat"}.'
        )
    return record
