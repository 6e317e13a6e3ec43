"""A finding says itself how it is called and what is printed of it; an audit has a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_STATEMENTS = (
    "ALTER TABLE class_audit ADD COLUMN audit_version INTEGER DEFAULT '0' NOT NULL",
    "ALTER TABLE finding ADD COLUMN plain TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE finding ADD COLUMN colour TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE finding ADD COLUMN overlay BOOLEAN DEFAULT '1' NOT NULL",
    "ALTER TABLE finding ADD COLUMN details TEXT DEFAULT '[]' NOT NULL",
)


def add_kinds(connection: Connection) -> None:
    """Add the columns; what an older audit lacks is empty."""
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)
