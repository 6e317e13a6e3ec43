"""Which job fills the file."""

from sqlalchemy import Connection, Engine, select

from db import schema
from db.records import Lease
from db.sql import Query, columns_of, records


def lease(engine: Engine) -> Lease | None:
    """Return the lease that a job holds on the file, or that one which was killed left behind."""
    with engine.connect() as connection:
        return lease_of(connection)


def lease_of(connection: Connection) -> Lease | None:
    """Return the same within a transaction."""
    query: Query = select(*columns_of(Lease, schema.Lease))
    leases = records(Lease, connection.execute(query))
    return leases[0] if leases else None
