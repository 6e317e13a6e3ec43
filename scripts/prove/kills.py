"""SIGKILL of `mapcap index` at any moment and around every commit: the file is whole, it goes on.

After each kill: pages, references, the index of the words, every reading command. At the end, after
one to five kills, the store equals that of an undisturbed run, table by table. A trial is a kill.
What the networks make of a batch is taken from the undisturbed run where it is the same batch.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

from sqlalchemy import Connection, Engine, event

from scripts.prove._base import make_photos
from scripts.prove._calling import call, commands, faults_of
from scripts.prove._compare import check_file, differences
from scripts.prove._forked import start, wait, warm_folder
from scripts.prove._remembered import keep, learn
from scripts.prove._tally import Tally, options
from scripts.prove.stores import names_of

_COUNT = 1_000
_END = "run to its end"


def main(argv: list[str]) -> int:
    """Kill runs and let them go on; return 1 if anything was lost or damaged."""
    given = options("kills", __doc__, _COUNT).parse_args(argv)
    with warm_folder(remembering=True) as place:
        return prove(place, given.count, given.seed)


def prove(place: Path, count: int, seed: int) -> int:
    """Kill `mapcap index` so many times, in runs that each come to their end."""
    photos, whole, said = make_photos(place / "photos"), place / "whole.db", place / "said"
    commits = place / "commits"
    made = place / "made"
    code = wait(
        start(_index(photos, whole), said, lambda: _note_commits(commits), lambda: keep(made))
    )
    assert code == 0, said.read_text()
    learn(made)
    # Another, which remembers: so long does a run take that is to be killed at any moment.
    began = time.monotonic()
    assert wait(start(_index(photos, place / "again.db"), said)) == 0, said.read_text()
    seconds, total = time.monotonic() - began, len(commits.read_bytes())
    names = names_of(whole)
    tally, number = Tally("kills"), seed
    while (left := count - tally.tried.total() + tally.tried[_END]) > 0:
        chance = random.Random(number)
        store = place / f"{number}.db"
        kind, faults = "", list[str]()
        for _ in range(min(chance.randint(1, 5), left)):
            kind, child = _start_and_kill(_index(photos, store), said, chance, seconds, total)
            if wait(child) != -signal.SIGKILL:
                break  # it had ended before
            faults = _faults_of(store, place, names, chance)
            if faults:
                tally.failed(kind, number, "; ".join(faults[:3]))
            else:
                tally.passed(kind)
        code = wait(start(_index(photos, store), said))
        ended = [] if code == 0 else [f"goes on with {code}: {said.read_text()[-300:]}"]
        ended = ended or check_file(store) + differences(whole, store)
        if ended:
            tally.failed(_END, number, "; ".join(ended[:3]))
        else:
            tally.passed(_END)
        for part in place.glob(f"{number}.db*"):
            part.unlink()
        number += 1
    return tally.report(seed)


def _index(photos: Path, store: Path) -> list[str]:
    return ["index", str(photos), "--db", str(store), "--batch-size", "4"]


def _start_and_kill(
    arguments: list[str], said: Path, chance: random.Random, seconds: float, commits: int
) -> tuple[str, int]:
    """Start a run that is killed, or kills itself; return how, and its process."""
    kind = chance.choice(("at any moment", "before a commit", "after a commit"))
    if kind == "at any moment":
        child = start(arguments, said)
        time.sleep(chance.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        return kind, child
    which = chance.randint(1, commits)
    return kind, start(arguments, said, _at_commit(which, after=kind == "after a commit"))


def _at_commit(which: int, *, after: bool) -> Callable[[], None]:
    """Return what lets a process kill itself at one of its commits."""

    def listen() -> None:
        seen = 0

        def count(_: Connection) -> None:
            nonlocal seen
            seen += 1
            # The transaction that begins next finds the one before committed.
            if seen == which + after:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "begin" if after else "commit", count)

    return listen


def _note_commits(file: Path) -> None:
    opened = file.open("ab", buffering=0)
    event.listen(Engine, "commit", lambda _: opened.write(b"."))


def _faults_of(
    store: Path, place: Path, names: tuple[list[str], list[str]], chance: random.Random
) -> list[str]:
    """Return what is wrong with a file that a killed run left behind."""
    if not store.exists():
        return []
    # A copy: to look at the index of the words, and to read a WAL, is to write.
    copy, wal = place / "copy.db", store.with_name(store.name + "-wal")
    copyfile(store, copy)
    if wal.exists():
        copyfile(wal, place / "copy.db-wal")
    faults = check_file(copy)
    out = place / "out"
    out.mkdir(exist_ok=True)
    every = commands(store, out, *names, chance)
    for arguments in every:
        faults += faults_of(call(*arguments), arguments)
    for left in [*out.iterdir(), *place.glob("copy.db*")]:
        left.unlink()
    return faults
