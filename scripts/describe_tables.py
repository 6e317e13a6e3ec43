"""Print docs/tables.md: the columns of exports, and of the SQLite file itself.

python -m scripts.describe_tables > docs/tables.md
"""

from collections.abc import Iterator

import sqlalchemy

from db.queries.export_tables import Column
from db.schema import Base
from db.types import Array, Bits, Blob, Json, PixelMask, Timestamp
from mapcap.export.rows import NAMES, columns, one_row

KINDS: dict[type[object], str] = {
    Array: "array",
    Bits: "bits",
    PixelMask: "mask",
    Json: "JSON",
    Timestamp: "time",
    Blob: "WebP",
}


def exports() -> Iterator[str]:
    """Yield the table of exports: what a row is, and what each column means, said once."""
    yield "| `--table` | a row is | columns |"
    yield "|---|---|---|"
    said: set[Column] = set()
    for name in NAMES:
        listed = [
            f"`{column.name}`" if column in said else f"`{column.name}` {column.meaning}"
            for column in columns(name)
        ]
        said.update(columns(name))
        yield f"| {name} | {one_row(name)} | {'; '.join(listed)} |"


def stored() -> Iterator[str]:
    """Yield the table of the file's tables, with what each holds after its docstring."""
    yield "| table | a row is | columns |"
    yield "|---|---|---|"
    for mapper in sorted(Base.registry.mappers, key=lambda each: each.class_.__tablename__):
        said = (mapper.class_.__doc__ or "").partition("\n")[0].rstrip(".")
        listed = ", ".join(_named(column) for column in mapper.local_table.columns)
        yield f"| `{mapper.class_.__tablename__}` | {said} | {listed} |"


def _named(column: sqlalchemy.ColumnElement[object]) -> str:
    kind = KINDS.get(type(column.type))
    return f"`{column.key}`" + (f" ({kind})" if kind else "")


def page() -> Iterator[str]:
    """Yield the lines of docs/tables.md."""
    yield from ("# Tables", "", "`python -m scripts.describe_tables > docs/tables.md` writes this.")
    yield "How blobs, times and boxes are stored stands in [file-format.md](file-format.md)."
    yield from ("", "## Columns of `mapcap export`", "", *exports())
    yield from ("", "## Tables of the file", "", *stored())


if __name__ == "__main__":
    print("\n".join(page()))
