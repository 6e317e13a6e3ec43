"""Rows of a stored run as an export has them, and verdicts on it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db import queries
from db.verdicts import Verdict, beside, write_verdicts
from mapcap.export.rows import chunks, columns


def exported(store: Any, table: str, **options: Any) -> list[dict[str, Any]]:
    run = queries.latest_run(store.engine)
    names = [column.name for column in columns(table)]
    marks = options.pop("marks", {})
    found = chunks(store.engine, run, table, marks, **options)
    return [dict(zip(names, row, strict=True)) for chunk in found for row in chunk]


def verdicts(store: Any) -> Path:
    file = beside(store.path)
    made = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    write_verdicts(
        file,
        Verdict("one", "image", store.paths[0][1], "label wrong", "=a dog\nreally\x1b[0m", made),
        Verdict("one", "class", "n01", "ambiguous", "", made),
    )
    return file
