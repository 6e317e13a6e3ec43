"""The steps from an empty file to the present format; a new one goes to the end of `STEPS`.

A step is a function of a connection, in plain SQL: it knows nothing of `db.schema`, because it
stays what it is when the schema goes on. It is never changed once a file in the world may have run
it. A step of a few statements is written here, a longer one in a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from db.migrations.r0001_first import create_tables
from db.migrations.r0002_audit import add_audit
from db.migrations.r0003_kinds import add_kinds
from db.migrations.r0004_metrics import rename_metrics
from db.migrations.r0007_feeding import add_feeding
from db.migrations.r0009_witness import add_witness

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before SQLAlchemy is loaded.
    from sqlalchemy import Connection

Step: TypeAlias = "Callable[[Connection], None]"


def note_times(connection: Connection) -> None:
    """Say of each image when its file was changed; of those stored before nobody knows."""
    connection.exec_driver_sql("ALTER TABLE image ADD COLUMN modified INTEGER")


def add_blocks(connection: Connection) -> None:
    """Make room for embeddings in eight bits; `writes.pack_embeddings` fills it."""
    connection.exec_driver_sql(
        """CREATE TABLE embedding_block (
    run_id INTEGER NOT NULL, representation TEXT NOT NULL, last_region_id INTEGER NOT NULL,
    count INTEGER NOT NULL, region_ids BLOB NOT NULL, centre BLOB NOT NULL,
    scales BLOB NOT NULL, errors BLOB NOT NULL, codes BLOB NOT NULL,
    CONSTRAINT pk_embedding_block PRIMARY KEY (run_id, representation, last_region_id),
    CONSTRAINT fk_embedding_block_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)"""
    )


def add_attributes(connection: Connection) -> None:
    """Add figures of an image's pixels, by name; those stored before have none."""
    connection.exec_driver_sql("ALTER TABLE image ADD COLUMN attributes TEXT DEFAULT '{}' NOT NULL")


def add_subjects(connection: Connection) -> None:
    """Say what a finding is about, without counts; of an older audit's findings nobody knows.

    From here on masks are stored deflated, too (`codecs.encode_mask`): the number keeps an older
    MapCap from them. Those stored before are read as they are.
    """
    connection.exec_driver_sql("ALTER TABLE finding ADD COLUMN subject TEXT DEFAULT '' NOT NULL")


def add_keys(connection: Connection) -> None:
    """Say of a stage what its result depends on; of those stored before nobody knows.

    From here on features, maps and PMI are stored in steps (`codecs.encode_steps`) and masks by
    their edges (`encode_mask`), too: the number keeps an older MapCap from them. Those stored
    before are read as they are.
    """
    connection.exec_driver_sql("ALTER TABLE stage ADD COLUMN inputs_hash TEXT DEFAULT '' NOT NULL")


# A file's format is the number of the steps it has run, so that the order here is for ever.
STEPS: Final[tuple[Step, ...]] = (
    create_tables,
    add_audit,
    add_kinds,
    rename_metrics,
    note_times,
    add_blocks,
    add_feeding,
    add_attributes,
    add_witness,
    add_subjects,
    add_keys,
)
