"""Which photos a training may see, and which are held back to examine it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.build_mini.cache import Album, open_album
from scripts.build_mini.classes import Split
from scripts.build_mini.places import Places

HELD_THINGS, HELD_PEOPLE = 1_200, 300
"""Plain photos of seen classes and photos of people that the log's figures are measured on."""


@dataclass(frozen=True)
class Plan:
    """Which rows of an album are for training, which are held back."""

    training: list[int]
    held: list[int]


@dataclass(frozen=True)
class Material:
    """The albums, and what of them may be used. Rows of varied things count on after the plain."""

    things: tuple[Album, Album, Album, Album]
    """Plain, varied, all of them varied once more, and some cut out and put on painted grounds."""
    people: tuple[Album, Album]
    stamps: Album
    rows: dict[str, Plan]
    """By the albums' names."""
    kept_out: list[int]
    """Plain photos of kept-out classes."""


def plan_things(labels: Sequence[int], split: Split, held: int) -> Plan:
    """Leave out the kept-out classes and hold back some photos; the same way every time."""
    kept_out = frozenset(split.kept_out)
    rows = [row for row, label in enumerate(labels) if label not in kept_out]
    random.Random(1).shuffle(rows)
    held = min(held, len(rows) // 10)
    return Plan(rows[held:], rows[:held])


def plan_again(labels: Sequence[int], split: Split, shown: Plan) -> Plan:
    """Leave out what is held back of the plain views, which show the first photos."""
    back = frozenset(shown.held)
    rows = plan_things(labels, split, 0).training
    return Plan([row for row in rows if row not in back], [])


def plan_people(labels: Sequence[int], held: int) -> Plan:
    """Hold back every view of some photos; of these the first views are listed."""
    first = max(labels) + 1 - min(held, (max(labels) + 1) // 10)
    back = [row for row, label in enumerate(labels) if label >= first]
    return Plan(
        [row for row, label in enumerate(labels) if label < first],
        back[: max(labels) + 1 - first],
    )


def gather(cache: Path, split: Split) -> Material:
    """Open all albums and share out their rows."""
    names = (
        Places.THINGS,
        Places.THINGS_VARIED,
        Places.THINGS_AGAIN,
        Places.THINGS_PASTED,
        Places.PEOPLE,
        Places.PEOPLE_VARIED,
        Places.STAMPS,
    )
    plain, varied, again, cut, humans, humans_varied, stamps = (
        open_album(cache / name) for name in names
    )
    shown = plan_things(plain.labels.tolist(), split, HELD_THINGS)
    rows = {
        Places.THINGS: shown,
        Places.THINGS_VARIED: plan_things(varied.labels.tolist(), split, 0),
        Places.THINGS_AGAIN: plan_again(again.labels.tolist(), split, shown),
        Places.THINGS_PASTED: plan_things(cut.labels.tolist(), split, 0),
        Places.PEOPLE: plan_people(humans.labels.tolist(), HELD_PEOPLE),
        Places.PEOPLE_VARIED: plan_people(humans_varied.labels.tolist(), HELD_PEOPLE),
        Places.STAMPS: Plan(list(range(len(stamps.labels))), []),
    }
    kept_out = np.isin(plain.labels, split.kept_out).nonzero()[0].tolist()
    return Material((plain, varied, again, cut), (humans, humans_varied), stamps, rows, kept_out)
