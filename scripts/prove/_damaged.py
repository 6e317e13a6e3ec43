"""What the proofs on damaged stores share: their options, their store, and a damaged copy of it."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.prove._base import index, make_photos
from scripts.prove._calling import quiet_environment, share_statements
from scripts.prove._damage import DAMAGES
from scripts.prove._tally import options

Prove = Callable[[Path, Path, int, int, str | None], int]
"""Takes a store, a folder to work in, the count, the seed, and the one damage to try, if any."""


def prove_on_a_store(
    proof: str, about: str | None, count: int, prove: Prove, argv: list[str]
) -> int:
    """Run a proof by its options, on a store that is given or made; return what it returns."""
    parser = options(proof, about, count)
    parser.add_argument("--store", type=Path, help="damage copies of this one")
    parser.add_argument("--kind", choices=sorted(DAMAGES), help="only this damage")
    given = parser.parse_args(argv)
    quiet_environment()
    share_statements()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        store = given.store
        if store is None:
            store = place / "whole.db"
            index(make_photos(place / "photos"), store)
        return prove(store, place, given.count, given.seed, given.kind)


@contextmanager
def damaged_copy(
    store: Path, place: Path, number: int, only: str | None
) -> Iterator[tuple[Path, str, random.Random]]:
    """Yield the damaged copy of a trial, the kind of its damage, and what its chance goes on with.

    The copy and what was made beside it are gone afterwards.
    """
    kinds = [only] if only else list(DAMAGES)
    chance, kind = random.Random(number), kinds[number % len(kinds)]
    copy = place / f"{number}.db"
    shutil.copyfile(store, copy)
    DAMAGES[kind](copy, chance)
    yield copy, kind, chance
    for left in place.glob(f"{number}.db*"):
        left.unlink()
