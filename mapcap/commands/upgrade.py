"""`mapcap upgrade`: an older file in the newest format."""

from db.engine import finish
from mapcap.commands.base import Db, open_run, print_page
from mapcap.printing import pages


def upgrade(db: Db) -> None:
    """Bring a file of an older MapCap up to date; a file of this version stays as it is."""
    engine, _ = open_run(db, None, write=True)
    finish(engine)
    print_page(pages.safe(f"{db} is up to date"))
