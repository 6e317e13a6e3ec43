"""Bringing a file from any earlier format to the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.migrations.steps import STEPS

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before SQLAlchemy is loaded.
    from sqlalchemy import Connection


def upgrade(connection: Connection, version: int | None = None) -> None:
    """Run the steps that a file lacks up to a version, or all, in the connection's transaction.

    The file's `user_version` says which it has run; each step that is run sets it.
    """
    # Read here, under the lock: another job may have brought the file up to date meanwhile.
    done = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    for number, step in enumerate(STEPS[done:version], start=done + 1):
        step(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
    # Files of formats 1 and 2 may hold a second stamp, Alembic's, which would only go stale.
    connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
