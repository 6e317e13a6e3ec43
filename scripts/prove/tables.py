"""Tables as csv, pyarrow, Excel, R and Windows write them, read back as they were."""

import csv
import json
import random
import tempfile
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mapcap.datasets.box_numbers import quad_of
from mapcap.datasets.cells import text_of
from mapcap.datasets.columns import CLASS, PATH, pick
from mapcap.datasets.tables import Row, open_table
from mapcap.errors import UserError
from scripts.prove._tally import Tally, options

_COUNT = 10_000
_PIECES: Final = (
    "a", "Z", "0", "9",
    ".jpg", " ", "-", "_", "/", "é", "e\u0301", "ü", "日本", "😀", "ß", "'", '"',
    ",", ";", "|", "(1)", "&", "<b>", "\u200d", "ı", "%", "#", "=", "+",
)  # fmt: skip
_BOX: Final = ("x0", "y0", "x1", "y1")

Record = tuple[str, str, tuple[float, float, float, float] | None]
"""Path, class and box."""
Write = Callable[[Path, Sequence[str], Sequence[Record], random.Random], Path]


def main(argv: list[str]) -> int:
    """Write tables of every kind and read them; return 1 if one came back otherwise."""
    given = options("tables", __doc__, _COUNT).parse_args(argv)
    tally, kinds = Tally("tables"), list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.seed, given.seed + given.count):
            chance = random.Random(number)
            kind = kinds[number % len(kinds)]
            records = make_records(chance, spoken=kind in _EIGHT_BITS)
            columns = [_cased(name, chance) for name in ("path", "class", *_BOX)]
            path = KINDS[kind](Path(folder) / "t", columns, records, chance)
            fault = fault_of(path, records)
            if fault:
                tally.failed(kind, number, fault)
            else:
                tally.passed(kind)
            path.unlink()
    return tally.report(given.seed)


def make_records(chance: random.Random, *, spoken: bool = False) -> list[Record]:
    """Return records with hostile texts; `spoken` ones have letters of Western Europe alone."""
    pieces = [p for p in _PIECES if len(p) == 1 and p < "\u0100"] if spoken else _PIECES
    records: list[Record] = []
    for row in range(chance.randint(1, 8)):
        path = "".join(chance.choices(pieces, k=chance.randint(1, 8))).strip()
        label = "".join(chance.choices(pieces, k=chance.randint(1, 4))).strip()
        box = tuple(round(chance.uniform(0, 500), 3) for _ in range(4))
        kept = chance.random() < 0.7
        records.append(
            (
                f"p{row}{path}".strip(),
                f"c{label}",
                (box[0], box[1], box[2], box[3]) if kept else None,
            )
        )
    return records


def fault_of(path: Path, records: Sequence[Record]) -> str | None:
    """Return what came back otherwise than it was written."""
    try:
        table = open_table(path, "PHOTOS")
        picked = pick(table, {"path": PATH, "class": CLASS, **{name: (name,) for name in _BOX}})
        rows = list(table.records(list(picked.values())))
    except UserError as error:
        return f"refused: {error}"
    if len(rows) != len(records):
        return f"{len(rows)} rows of {len(records)}"
    try:
        return _difference(rows, picked, records)
    except UserError as error:
        return f"refused: {error}"


def _difference(
    rows: Sequence[Row], picked: Mapping[str, str], records: Sequence[Record]
) -> str | None:
    """Return the first row that came back otherwise."""
    for (place, cells), (name, label, box) in zip(rows, records, strict=True):
        back = text_of(cells[picked["path"]]), text_of(cells[picked["class"]])
        if tuple(map(_form, back)) != (_form(name), _form(label)):
            return f"{place}: {back!r}, not {(name, label)!r}"
        quad = quad_of([cells[picked[each]] if each in picked else None for each in _BOX], place)
        if quad != box:
            return f"{place}: box {quad}, not {box}"
    return None


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _cased(name: str, chance: random.Random) -> str:
    return chance.choice((name, name.upper(), name.title(), f" {name}"))


def _cells(record: Record, missing: str = "", comma: bool = False) -> list[str]:
    """Return the cells of a record as text."""
    name, label, box = record
    numbers = [missing] * 4 if box is None else [repr(value) for value in box]
    if comma:
        numbers = [_european(value) if box else value for value in numbers]
    return [name, label, *numbers]


def _european(number: str) -> str:
    """Return a number with a decimal comma, and four digits behind it: no thousands."""
    return f"{float(number):.4f}".replace(".", ",")


def _text(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    encoding: str = "utf-8",
    before: str = "",
    **dialect: Any,
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(before)
        writer = csv.writer(file, **dialect)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _delimited(separator: str, ending: str, **options: Any) -> Write:
    def write(
        path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
    ) -> Path:
        rows = [_cells(record) for record in records]
        quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
        return _text(
            path.with_suffix(ending), columns, rows, delimiter=separator, quoting=quoting,
            lineterminator=chance.choice(("\n", "\r\n", "\r")), **options,
        )  # fmt: skip

    return write


def _excel_of_europe(
    path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
) -> Path:
    """Semicolons, decimal commas, the line `sep=;` sometimes, blank columns at the end."""
    rows = [[*_cells(record, comma=True), "", ""] for record in records]
    before = chance.choice(("", "sep=;\r\n"))
    return _text(path.with_suffix(".csv"), [*columns, "", ""], rows, delimiter=";", before=before,
                 encoding=chance.choice(("utf-8-sig", "utf-16")))  # fmt: skip


def _r(
    path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
) -> Path:
    """Row names under no header, all texts in quotes, NA: `write.table`."""
    separator = chance.choice(("\t", " ", ";"))
    quoted = [_quoted(cell) for cell in columns]
    lines = [separator.join(quoted)]
    for number, record in enumerate(records, start=1):
        name, label, *numbers = _cells(record, "NA")
        lines.append(
            separator.join([_quoted(str(number)), _quoted(name), _quoted(label), *numbers])
        )
    file = path.with_suffix(".txt")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _quoted(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _pandas(
    path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
) -> Path:
    """`to_csv`: an index under an empty name; nothing, NaN or None for what is missing."""
    missing = chance.choice(("", "NaN", "nan", "None", "NULL", "<NA>"))
    rows = [[str(number), *_cells(record, missing)] for number, record in enumerate(records)]
    index = chance.choice(("", "Unnamed: 0"))
    return _text(path.with_suffix(".csv"), [index, *columns], rows, lineterminator="\n")


def _json_lines(
    path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
) -> Path:
    """Keys in any order; what is missing is null, NaN or left out."""
    lines = []
    for name, label, box in records:
        numbers: list[Any] = [None] * 4 if box is None else list(box)
        pairs = list(zip((each.strip() for each in columns), (name, label, *numbers), strict=True))
        chance.shuffle(pairs)
        if chance.random() < 0.5:
            pairs = [(key, value) for key, value in pairs if value is not None]
        lines.append(json.dumps(dict(pairs), ensure_ascii=chance.random() < 0.5))
    file = path.with_suffix(".jsonl")
    end = chance.choice(("\n", "\r\n"))
    file.write_bytes(end.join(lines).encode("utf-8-sig" if chance.random() < 0.3 else "utf-8"))
    return file


def _parquet(
    path: Path, columns: Sequence[str], records: Sequence[Record], chance: random.Random
) -> Path:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    empty = chance.choice((None, float("nan")))
    values: list[Any] = [[record[place] for record in records] for place in (0, 1)]
    if chance.random() < 0.5:
        values[1] = arrow.array(values[1]).dictionary_encode()  # as pandas' categories
    for place in range(4):
        numbers = [empty if box is None else box[place] for _, _, box in records]
        values.append(arrow.array(numbers, arrow.float64()))
    file = path.with_suffix(chance.choice((".parquet", ".pq", ".csv")))
    parquet.write_table(arrow.table(values, names=list(columns)), file)
    return file


KINDS: Final[dict[str, Write]] = {
    "commas": _delimited(",", ".csv"),
    "commas, with a mark": _delimited(",", ".csv", encoding="utf-8-sig"),
    "semicolons": _delimited(";", ".csv"),
    "bars": _delimited("|", ".txt"),
    "tabs": _delimited("\t", ".tsv"),
    "tabs, UTF-16": _delimited("\t", ".txt", encoding="utf-16"),
    "Windows-1252": _delimited(",", ".csv", encoding="cp1252"),
    "Excel of Europe": _excel_of_europe,
    "R": _r,
    "pandas": _pandas,
    "JSON lines": _json_lines,
    "Parquet": _parquet,
}
_EIGHT_BITS: Final = frozenset({"Windows-1252"})
