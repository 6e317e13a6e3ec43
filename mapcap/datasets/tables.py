"""The one reader of tables from outside: CSV, TSV, JSON lines, JSON and Parquet."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mapcap.datasets.content import first_bytes
from mapcap.datasets.delimited import look_at
from mapcap.datasets.encodings import encoding_note, encoding_of, read_text, undecodable
from mapcap.datasets.records import shown
from mapcap.errors import UserError

DELIMITED: Final = frozenset({".csv", ".tsv", ".tab", ".txt"})
JSON_LINES: Final = frozenset({".jsonl", ".ndjson"})
JSON: Final = frozenset({".json"})
PARQUET: Final = frozenset({".parquet", ".pq"})
TABLES: Final = DELIMITED | JSON_LINES | JSON | PARQUET
_ROW_NUMBERS: Final = frozenset({"", "unnamed: 0", "__index_level_0__", "rownames"})
"""What R and pandas call the column of their row numbers."""

Row = tuple[str, dict[str, Any]]
"""A place in the file (`line 3`, `row 2`) and the cells by column."""


@dataclass(slots=True)
class Table:
    """A table from outside; cells of text are stripped, others as they are stored."""

    path: Path
    option: str
    header: list[str]
    """The columns as they are written; of a table of text its first row, whatever it holds."""
    _rows: Callable[[Sequence[str]], Iterator[tuple[str, list[Any]]]]
    """The rows under these columns of the header."""
    first: tuple[str, list[str]] | None = None
    """The first row of a table of text, which may be no header."""
    notes: list[str] = field(default_factory=list)
    """What was guessed about the file, to be said."""

    def where(self, place: str = "") -> str:
        """Return the option, the file and a place in it, to begin a message with."""
        return f"{self.option}: {shown(self.path)}{', ' if place else ''}{place}"

    def records(self, wanted: Sequence[str] | None = None) -> Iterator[Row]:
        """Yield each row by its columns, of which `wanted` are read (None: all but row numbers).

        Raises:
            UserError: for a wanted column that stands twice, a row longer or shorter than the
                header, and whatever else makes the file unreadable; with its place.
        """
        if wanted is None:
            numbers = self.header and self.header[0].lower() in _ROW_NUMBERS
            wanted = [name for name in self.header[1 if numbers else 0 :] if name]
        counts = Counter(self.header)
        for name in wanted:
            if counts[name] > 1:
                raise UserError(
                    f"{self.where('line 1' if self.first else '')}: there are {counts[name]} "
                    f"columns {shown(name)!r}. Keep one."
                )
        for place, cells in self._rows(wanted):
            yield place, dict(zip(wanted, cells, strict=True))

    def lines(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield the cells of each row in the order of the columns, also of the first of a text.

        Rows may be of any length.
        """
        if self.first is None:
            yield from self._rows(self.header)
        else:
            for line, cells in look_at(self.path, self.option).rows():
                yield f"line {line}", cells


def open_table(path: Path, option: str) -> Table:
    """Open a table by what it is: Parquet by its first bytes, JSON by its ending, else text.

    Raises:
        UserError: naming `option` and the file, if it cannot be read or is no table.
    """
    try:
        is_parquet = first_bytes(path).startswith(b"PAR1") or path.suffix.lower() in PARQUET
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{option}: {shown(path)} cannot be read: {shown(reason)}.") from error
    if is_parquet:
        return _parquet(path, option)
    if path.suffix.lower() in JSON_LINES | JSON:
        return _json(path, option)
    return _delimited(path, option)


def _delimited(path: Path, option: str) -> Table:
    form = look_at(path, option)
    first = next(form.rows(), None)
    line, header = (0, list[str]()) if first is None else first
    if form.numbered:
        header = ["", *header]
    while header and not header[-1]:
        header = header[:-1]  # as Excel leaves them where a column was cleared

    def rows(wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        places = [header.index(name) for name in wanted]
        for number, cells in form.rows():
            if number == line:
                continue
            if len(cells) < len(header) or any(cells[len(header) :]):
                raise UserError(
                    f"{option}: {shown(path)}, line {number}: {len(cells)} cells under "
                    f"{len(header)} columns; the last is {shown(cells[-1])[:60]!r}. Put cells "
                    f"that hold {_named(form.separator)} in quotes."
                )
            yield f"line {number}", [cells[place] for place in places]

    return Table(path, option, header, rows, (f"line {line}", header), form.notes)


def _named(separator: str) -> str:
    names = {"\t": "a tab", ",": "a comma", ";": "a semicolon", " ": "a blank"}
    return names.get(separator, shown(separator))


def _json(path: Path, option: str) -> Table:
    """Open objects: one a line, or a list of them. Keys that a line lacks are empty there."""
    header: dict[str, None] = {}
    for place, value in json_values(path, option):
        if not isinstance(value, dict):
            raise UserError(
                f"{option}: {shown(path)}, {place}: expected an object such as "
                '{"path": "a.jpg", "class": "cat"}.'
            )
        header.update(dict.fromkeys(value))
    encoding = encoding_of(path, option)
    notes = [note for note in (encoding_note(path, encoding),) if note is not None]

    def rows(wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        for place, value in json_values(path, option):
            yield place, [_stripped(value.get(name)) for name in wanted]

    return Table(path, option, list(header), rows, None, notes)


def _stripped(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def json_values(path: Path, option: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of JSON lines, or of the list that a JSON file is, with their places.

    Raises:
        UserError: with file and line, for what is no JSON and for a key that comes twice.
    """
    if path.suffix.lower() in JSON:
        data = _parsed(read_text(path, option), f"{option}: {shown(path)}")
        entries = data if isinstance(data, list) else [data]
        yield from ((f"entry {number}", entry) for number, entry in enumerate(entries, start=1))
        return
    number = 0
    try:
        with path.open(encoding=encoding_of(path, option)) as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    where = f"{option}: {shown(path)}, line {number}"
                    yield f"line {number}", _parsed(text, where)
    except UnicodeDecodeError as error:
        raise undecodable(path, option, number + 1) from error
    except OSError as error:
        raise UserError(f"{option}: {shown(path)} cannot be read: {error.strerror}.") from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON: {shown(str(error))[:100]}.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys are distinct: of two values json would take the last, unsaid."""
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise ValueError(f"the key {counts.most_common(1)[0][0]!r} comes twice")
    return values


def _parquet(path: Path, option: str) -> Table:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise UserError(
            f"{option}: {shown(path)} needs pyarrow: pip install 'mapcap[parquet]'. "
            "Or save it as CSV."
        ) from error

    def refusal(error: Exception) -> UserError:
        return UserError(
            f"{option}: {shown(path)} cannot be read as Parquet: {shown(str(error))[:200]}"
        )

    try:
        if not path.is_file():  # a pipe would be waited for without end
            raise UserError(f"{option}: {shown(path)} cannot be read: there is no such file.")
        with parquet.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
    except (arrow.ArrowException, OSError) as error:
        raise refusal(error) from error

    def rows(wanted: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        try:
            with parquet.ParquetFile(path) as file:
                first = 1
                for batch in file.iter_batches(columns=list(wanted)):
                    columns = [_stripped_column(batch.column(name)) for name in wanted]
                    for number, cells in enumerate(zip(*columns, strict=True), start=first):
                        yield f"row {number}", list(cells)
                    first += batch.num_rows
        except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
            # ValueError: a date beyond what Python knows
            raise refusal(error) from error

    return Table(path, option, header, rows)


def _stripped_column(column: Any) -> list[Any]:
    return [_stripped(cell) for cell in column.to_pylist()]
