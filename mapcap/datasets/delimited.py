"""Tables of text: the separator, the quotes and the habits of the programs that write them."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from mapcap.datasets.encodings import encoding_note, encoding_of, undecodable
from mapcap.datasets.records import shown
from mapcap.errors import UserError

_SEPARATORS: Final = ("\t", ",", ";", "|")
_SAMPLE: Final = 50
"""Lines by which the separator is told."""
_LONGEST: Final = 1 << 24
"""Characters of a cell: thousands of scores may stand in one."""


_END_OF_FILE: Final = "\x1a"
"""What programs of DOS end a text with."""


@dataclass(slots=True)
class Delimited:
    """How a table of text is written: see `look_at`."""

    path: Path
    option: str
    encoding: str
    separator: str
    skipped: int = 0
    """Lines before the header: Excel's `sep=;`."""
    numbered: bool = False
    """Whether each row begins with its number, under no header, as R writes it."""
    notes: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank: the line they begin in, and their stripped cells.

        Raises:
            UserError: with file and line, for an open quote, nulls, and bytes of no encoding.
        """
        line = 0
        csv.field_size_limit(_LONGEST)
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                for _ in range(self.skipped):
                    file.readline()
                reader = csv.reader(
                    file, delimiter=self.separator, skipinitialspace=True, strict=True
                )
                line = self.skipped + 1
                for cells in reader:
                    stripped = [_unwrapped(cell.strip()) for cell in cells]
                    if stripped == [_END_OF_FILE]:
                        break
                    if any(stripped):
                        if any("\0" in cell for cell in stripped):
                            raise self._refusal(line, "holds null characters: it is no text")
                        yield line, stripped
                    line = self.skipped + reader.line_num + 1
        except UnicodeDecodeError as error:
            raise undecodable(self.path, self.option, line) from error
        except OSError as error:
            raise UserError(
                f"{self.option}: {shown(self.path)} cannot be read: {error.strerror}."
            ) from error
        except csv.Error as error:
            raise self._refusal(line, _explained(error)) from error

    def _refusal(self, line: int, what: str) -> UserError:
        return UserError(f"{self.option}: {shown(self.path)}, line {line}: {what}.")


def look_at(path: Path, option: str) -> Delimited:
    """Tell how a table of text is written.

    A tab separates where there is one outside of quotes; else whichever of comma, semicolon and
    bar cuts the first lines into equally many cells; Excel's first line `sep=;` says it itself.

    Raises:
        UserError: for a file that is missing, unreadable or no text.
    """
    encoding = encoding_of(path, option)
    table = Delimited(path, option, encoding, ",")
    note = encoding_note(path, encoding)
    if note is not None:
        table.notes.append(note)
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = list(islice(_lines(file), _SAMPLE + 1))
    except UnicodeDecodeError as error:
        raise undecodable(path, option) from error
    except OSError as error:
        raise UserError(f"{option}: {shown(path)} cannot be read: {error.strerror}.") from error
    first = lines[0].strip() if lines else ""
    if len(first) in (4, 5) and first.lower().startswith("sep="):
        table.skipped, table.separator = 1, first[4:] or "\t"
        return table
    table.separator = _separator(lines)
    quoted = any(line.startswith('"1"') for line in lines[1:2])
    table.numbered = _is_numbered(_cut(lines, table.separator), quoted=quoted)
    return table


def _lines(file: Iterator[str]) -> Iterator[str]:
    """Yield lines, none of them endless: a file without line ends is no table."""
    for line in file:
        yield line[: _LONGEST // _SAMPLE]


def _separator(lines: Sequence[str]) -> str:
    """Return what separates the cells of the first lines."""
    best = ""
    rank: tuple[float, ...] = ()
    for separator in _SEPARATORS:
        rows = _cut(lines, separator)
        if not rows or len(rows[0]) < 2:
            continue
        counts = {len(row) for row in rows[1:]} or {len(rows[0])}
        even = counts <= {len(rows[0]), len(rows[0]) + 1}
        where = lines[0].find(separator)
        mine = (separator == "\t", even, -where)
        if mine > rank:
            best, rank = separator, mine
    if best:
        return best
    # R's write.table separates by blanks, and quotes the names of the columns, or does not.
    spaced = _cut(lines, " ")
    quoted = bool(lines) and lines[0].startswith('"') and '" "' in lines[0]
    even = len(spaced) > 1 and len({len(row) for row in spaced}) == 1
    return " " if (quoted or even) and len(spaced[0]) > 1 else ","


def _cut(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Return the cells of lines, as far as they can be cut."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=separator, skipinitialspace=True):
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error:
        pass
    # Where the sample ends within a record, its last row is half of one.
    return rows[:-1] if len(lines) > _SAMPLE and len(rows) > 1 else rows


def _is_numbered(rows: Sequence[Sequence[str]], *, quoted: bool) -> bool:
    """Tell whether each row has one cell more than the header, and it counts from 1: R.

    R puts these numbers in quotes; of others, a single row says too little.
    """
    if len(rows) < (2 if quoted else 3):
        return False
    return all(
        len(row) == len(rows[0]) + 1 and row[0].strip() == str(number)
        for number, row in enumerate(rows[1:], start=1)
    )


def _unwrapped(cell: str) -> str:
    """Return what stands in a formula `="007"`, which keeps Excel from reading a number."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and len(cell) > 2 else cell


def _explained(error: csv.Error) -> str:
    """Say what is wrong with the quotes of a record."""
    text = str(error)
    if "unexpected end" in text:
        return "a quote is opened there and never closed: close it, or drop it"
    if "field larger" in text:
        return (
            f"a cell is longer than {_LONGEST:,} characters: if a quote is opened there and never "
            "closed, close it"
        )
    if "expected after" in text:
        return (
            "a quote is opened there, and closed in the middle of a cell: close it at the cell's "
            'end, and write a quote within a cell twice ("")'
        )
    return f"not a table of text: {text}"
