"""`mapcap upgrade`: an older file in the newest format."""

from db import queries, writes
from db.engine import finish
from mapcap.commands.base import Db, open_run, print_page
from mapcap.printing.tables import safe


def upgrade(db: Db) -> None:
    """Bring a file of an older MapCap up to date; a file of this version stays as it is."""
    engine, _ = open_run(db, None, write=True)
    for run in queries.runs(engine):
        # What files of format 5 lack; a search without takes ten times as long.
        writes.pack_embeddings(engine, run.id, run.representation)
    finish(engine)
    print_page(safe(f"{db} is up to date"))
