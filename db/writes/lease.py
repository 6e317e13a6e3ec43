"""One job a file: the lease is taken, renewed while the job lives, and given back."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Engine, and_, delete, update

from db import schema
from db.engine import writing
from db.queries.lease import lease_of
from db.records import Lease
from db.sql import row_of, upsert

_ONLY: Final = 1
"""The key of the only row."""


def take_lease(engine: Engine, wanted: Lease, is_dead: Callable[[Lease], bool]) -> Lease | None:
    """Take the lease of a file, and return None; or else return that of another job that lives.

    `is_dead` is asked about the lease that is stored, under the write lock.
    """
    with writing(engine) as connection:
        held = lease_of(connection)
        if held is not None and not is_dead(held):
            return held
        upsert(connection, schema.Lease, ["id"], [{"id": _ONLY, **row_of(wanted)}])
    return None


def renew_lease(engine: Engine, held: Lease) -> bool:
    """Say that the job with a lease is alive; False if another job has taken the lease over."""
    with writing(engine) as connection:
        renewed = update(schema.Lease).where(_is(held)).values(renewed=datetime.now(UTC))
        return connection.execute(renewed).rowcount == 1


def release_lease(engine: Engine, held: Lease) -> None:
    """Give a lease back; that of another job stays."""
    with writing(engine) as connection:
        connection.execute(delete(schema.Lease).where(_is(held)))


def _is(held: Lease) -> ColumnElement[bool]:
    table = schema.Lease
    return and_(
        table.host == held.host, table.process == held.process, table.started == held.started
    )
