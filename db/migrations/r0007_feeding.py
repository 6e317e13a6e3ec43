"""Where a stage's seconds went, and which job fills the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

_STATEMENTS = (
    "ALTER TABLE stage ADD COLUMN reading FLOAT DEFAULT '0' NOT NULL",
    "ALTER TABLE stage ADD COLUMN computing FLOAT DEFAULT '0' NOT NULL",
    "ALTER TABLE stage ADD COLUMN writing FLOAT DEFAULT '0' NOT NULL",
    """CREATE TABLE lease (
        id INTEGER NOT NULL,
        host TEXT NOT NULL,
        process INTEGER NOT NULL,
        started FLOAT NOT NULL,
        renewed FLOAT NOT NULL,
        CONSTRAINT pk_lease PRIMARY KEY (id)
    )""",
)


def add_feeding(connection: Connection) -> None:
    """Add the columns and the table; of the stages until now nobody knows where they waited."""
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)
