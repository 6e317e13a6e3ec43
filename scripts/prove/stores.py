"""Damaged and tampered stores: every reading command ends in one line, or shows what can be read.

No traceback, nothing over ten seconds or 1 GB, no control character on the terminal, no script in
the report, no formula in CSV. A trial is one command on one damaged copy.
"""

import random
import shutil
import tempfile
from pathlib import Path

from scripts.prove._base import index, make_photos
from scripts.prove._calling import call, commands, faults_of, faults_of_file, quiet_environment
from scripts.prove._damage import DAMAGES
from scripts.prove._tally import Tally, options

_COUNT = 100_000


def main(argv: list[str]) -> int:
    """Damage copies of a store and read them; return 1 if a command did not hold."""
    parser = options("stores", __doc__, _COUNT)
    parser.add_argument("--store", type=Path, help="damage copies of this one")
    parser.add_argument("--kind", choices=sorted(DAMAGES), help="only this damage")
    given = parser.parse_args(argv)
    quiet_environment()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        store = given.store
        if store is None:
            store = place / "whole.db"
            index(make_photos(place / "photos"), store)
        return prove(store, place, given.count, given.seed, given.kind)


def prove(store: Path, place: Path, count: int, seed: int, only: str | None = None) -> int:
    """Run so many commands on damaged copies of a store."""
    tally, kinds = Tally("stores"), [only] if only else list(DAMAGES)
    classes, paths = names_of(store)
    number = seed
    while tally.tried.total() < count:
        chance = random.Random(number)
        kind = kinds[number % len(kinds)]
        copy, out = place / f"{number}.db", place / f"out-{number}"
        shutil.copyfile(store, copy)
        out.mkdir()
        DAMAGES[kind](copy, chance)
        chosen = commands(copy, out, classes, paths, chance)
        chosen.append(("upgrade", str(copy)))
        for arguments in chosen:
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
        for left in place.glob(f"{number}.db*"):
            left.unlink()
        out.rmdir()
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
