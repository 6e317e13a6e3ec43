"""Rows of predictions and photos: which row speaks of which photo. Nothing is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mapcap.datasets import Item
from mapcap.datasets.records import composed, shown
from mapcap.errors import UserError
from mapcap.predictions.records import OPTION, Ranked, Table


@dataclass(frozen=True)
class Matched:
    """The row of each photo that has one, by place; and how many rows were of no use."""

    rows: dict[int, int]
    strangers: int
    """Rows that name no photo of the run."""
    doubled: int
    """Rows that repeat what another row says of the same photo."""


def match_paths(
    file: Path, table: Table, items: Sequence[Item], source: Path, named: str
) -> Matched:
    """Match rows with photos: by path below the source or as a whole, else by the path's end.

    `named` is the option and the file that have the paths, for a message.

    Raises:
        UserError: for an end that means several photos, two rows that contradict each other, and
            where not one row matches.
    """
    whole: dict[str, int] = {}
    by_name: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        relative = composed(item.relative)
        whole[relative] = at
        whole.setdefault(composed(str(item.path)), at)
        by_name.setdefault(PurePosixPath(relative).name, []).append(at)
    rows: dict[int, int] = {}
    strangers = doubled = 0
    for row, path in enumerate(table.paths):
        written = _tidy(path)
        below = written.removeprefix(f"{source.as_posix().rstrip('/')}/")
        place = whole.get(below, whole.get(written))
        if place is None:
            ends = [
                at for at in by_name.get(below.rpartition("/")[2], []) if _ends(items[at], below)
            ]
            if len(ends) > 1:
                raise UserError(
                    f"{OPTION}: {shown(file)}, {table.places[row]}: {shown(path)} may be "
                    f"{items[ends[0]].relative} or {items[ends[1]].relative}. Write the whole "
                    "path below the photos."
                )
            if not ends:
                strangers += 1
                continue
            place = ends[0]
        before = rows.setdefault(place, row)
        if before != row:
            if not _same(table, before, row):
                raise UserError(
                    f"{OPTION}: {shown(file)}, {table.places[row]}: {shown(path)} was there "
                    f"before with another prediction, in {table.places[before]}. Keep one row "
                    "an image."
                )
            doubled += 1
    if not rows:
        raise UserError(
            f"{named}: no row matches a photo. The file has paths such as "
            f"{shown(table.paths[0])}, the photos such as {shown(items[0].relative)}."
        )
    return Matched(rows, strangers, doubled)


def _tidy(path: str) -> str:
    return composed(PurePosixPath(path.replace("\\", "/")).as_posix())


def _ends(item: Item, path: str) -> bool:
    """Tell whether one of the two paths ends in the other, folder by folder."""
    stored, given = f"/{composed(item.relative)}", f"/{path.lstrip('/')}"
    return stored.endswith(given) or given.endswith(stored)


def _same(table: Table, row: int, other: int) -> bool:
    if isinstance(table, Ranked):
        scores = table.scores
        same = scores is None or list(scores[row]) == list(scores[other])
        return same and list(table.classes[row]) == list(table.classes[other])
    return bool((table.values[row] == table.values[other]).all())
