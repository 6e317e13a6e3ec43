"""`mapcap upgrade`: an older file in the newest format."""

from db.engine import finish
from mapcap import show
from mapcap.commands.base import Db, open_run, print_page


def upgrade(db: Db) -> None:
    """Bring a file of an older MapCap up to date; a file of this version stays as it is."""
    engine, _ = open_run(db, None, write=True)
    finish(engine)
    print_page(show.safe(f"{db} is up to date"))
