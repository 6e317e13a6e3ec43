"""Damaged and tampered stores: every reading command ends in one line, or shows what can be read.

No traceback, nothing over ten seconds or 1 GB, no control character on the terminal, no script in
the report, no formula in CSV. A trial is one command on one damaged copy.
"""

import gc
from pathlib import Path

from scripts.prove._calling import call, commands, faults_of, faults_of_file
from scripts.prove._damaged import damaged_copy, prove_on_a_store
from scripts.prove._tally import Tally

_COUNT = 100_000


def main(argv: list[str]) -> int:
    """Damage copies of a store and read them; return 1 if a command did not hold."""
    return prove_on_a_store("stores", __doc__, _COUNT, prove, argv)


def prove(store: Path, place: Path, count: int, seed: int, only: str | None = None) -> int:
    """Run so many commands on damaged copies of a store."""
    tally = Tally("stores")
    classes, paths = names_of(store)
    number = seed
    while tally.tried.total() < count:
        out = place / f"out-{number}"
        out.mkdir()
        with damaged_copy(store, place, number, only) as (copy, kind, chance):
            for arguments in (*commands(copy, out, classes, paths, chance), ("upgrade", str(copy))):
                if arguments[0] == "upgrade":
                    gc.collect()  # an error holds what it was raised in, and so the file's lock
                done = call(*arguments)
                faults = faults_of(done, arguments)
                for written in out.iterdir():
                    faults += faults_of_file(written)
                    written.unlink()
                shown = " ".join(arguments[:1] + arguments[2:])
                if faults:
                    tally.failed(kind, number, f"{shown}: {'; '.join(faults)}")
                else:
                    tally.passed(kind)
        out.rmdir()
        if number == seed:
            gc.freeze()  # all that is loaded stays
        number += 1
    return tally.report(seed)


def names_of(store: Path) -> tuple[list[str], list[str]]:
    """Return the classes and the paths of a whole store."""
    from db import queries
    from db.engine import open_read

    engine = open_read(store)
    run = queries.latest_run(engine)
    classes = [each.label for each in queries.classes(engine, run.id)]
    paths = queries.image_paths(engine, run.id, 100)
    engine.dispose()
    return classes, paths
