"""The same photos give the same store: run again, in batches of other sizes, in any order of files.

Texts, predictions, regions, summaries and findings are equal; floats to what float16 and the order
of sums leave. A trial is a run.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.prove._base import make_photos
from scripts.prove._compare import check_file, differences
from scripts.prove._forked import start, wait, warm_folder
from scripts.prove._tally import Tally, options

_COUNT = 50


def main(argv: list[str]) -> int:
    """Run again and again; return 1 if two stores differ."""
    given = options("same", __doc__, _COUNT).parse_args(argv)
    with warm_folder() as place:
        return prove(place, given.count, given.seed)


def prove(place: Path, count: int, seed: int) -> int:
    """Run so many times, and compare each with the first run."""
    photos, whole, said = make_photos(place / "photos"), place / "whole.db", place / "said"
    code = wait(start(["index", str(photos), "--db", str(whole)], said))
    assert code == 0, said.read_text()
    tally = Tally("same")
    for number in range(seed, seed + count):
        chance = random.Random(number)
        kind = ("as before", "batch size", "order of files")[number % 3]
        store = place / "store.db"
        arguments = ["index", str(photos), "--db", str(store)]
        if kind == "batch size":
            arguments += ["--batch-size", str(chance.choice((1, 2, 3, 5, 7, 16)))]
        shuffled = _shuffle(chance) if kind == "order of files" else lambda: None
        code = wait(start(arguments, said, shuffled))
        faults = [] if code == 0 else [f"ends with {code}: {said.read_text()[-300:]}"]
        faults = faults or check_file(store) + differences(whole, store)
        if faults:
            tally.failed(kind, number, "; ".join(faults[:3]))
        else:
            tally.passed(kind)
        store.unlink(missing_ok=True)
    return tally.report(seed)


def _shuffle(chance: random.Random) -> Callable[[], None]:
    """Return what lets a process see the files of a folder in another order."""

    def shuffle() -> None:
        for name in ("listdir", "scandir"):
            setattr(os, name, _shuffled(getattr(os, name), chance))

    return shuffle


def _shuffled(lists: Callable[..., Any], chance: random.Random) -> Callable[..., Any]:
    class Entries(list[Any]):
        """A list that is closed as what `os.scandir` gives is."""

        def __enter__(self) -> list[Any]:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def close(self) -> None:
            return None

        def __next__(self) -> Any:
            if not self:
                raise StopIteration
            return self.pop()

    def listed(*where: Any) -> Any:
        entries = Entries(lists(*where))
        chance.shuffle(entries)
        return entries

    return listed
