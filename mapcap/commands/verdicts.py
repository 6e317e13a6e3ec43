"""`mapcap verdicts`: what an auditor said of a run's images, classes and findings."""

from mapcap.commands.base import Db, Json, RunNumber, VerdictsFile, open_run, print_page
from mapcap.export.rows import read_marks
from mapcap.printing import pages
from mapcap.printing.verdicts import verdicts_page


def verdicts(
    db: Db,
    run: RunNumber = None,
    verdicts: VerdictsFile = None,
    json: Json = False,
) -> None:
    """List your verdicts: wrong labels with the right class, true findings and noise, notes.

    They are made in `mapcap browse` (v) and kept in DB.verdicts.sqlite, not in the file itself.

    [cyan]mapcap verdicts photos.db --json | jq '.[] | select(.mark == "label wrong")'[/]
    """
    _, chosen = open_run(db, run)
    made = read_marks(chosen, db, verdicts)
    listed = [made[key] for key in sorted(made)]
    if json:
        pages.print_json(listed)
        return
    print_page(verdicts_page(listed))
