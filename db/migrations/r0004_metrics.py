"""The metrics by the field's names: what an older file calls otherwise is renamed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLES = ("figure", "class_figure", "image_figure")
_RENAMED = (
    ("boxes-left-out", "boxes-excluded"),
    ("map-spread", "map-entropy"),
    ("map-strength", "map-mass"),
    ("caption-over-image", "caption-specificity"),
    ("caption-over-rest", "caption-contrast"),
    ("nameless-", "nameless-retrieval-"),
    ("summary-rank", "class-retrieval-rank"),
    ("summary-top", "class-retrieval-top"),
    ("sanity-text", "sanity-class"),
    ("-ahead", "-gain"),
    ("-centred", "-centre-prior"),
)


def rename_metrics(connection: Connection) -> None:
    """Rename metrics wherever a name holds an older one: `rho-map-spread-q` does, too."""
    connection.exec_driver_sql("UPDATE stage SET name = 'evaluation' WHERE name = 'quality'")
    for table in _TABLES:
        for old, new in _RENAMED:
            connection.exec_driver_sql(
                f"UPDATE {table} SET name = replace(name, ?, ?) WHERE instr(name, ?) > 0",
                (old, new, old),
            )
