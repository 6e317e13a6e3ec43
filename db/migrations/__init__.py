"""Alembic steps, one per change of the schema, run from the installed package."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config(connection: Connection) -> Config:
    """Return an Alembic configuration that works on this connection, without a file on disk."""
    settings = Config()
    settings.set_main_option("script_location", "db:migrations")
    settings.attributes["connection"] = connection
    return settings


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing steps inside the connection's own transaction."""
    command.upgrade(config(connection), revision)
