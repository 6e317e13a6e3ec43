"""Batches of the training: rows are drawn, views embedded."""

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.cache import Album
from scripts.build_mini.cycles import Cycle
from scripts.build_mini.losses import Lesson
from scripts.build_mini.places import Places
from scripts.build_mini.shares import Material
from scripts.build_mini.vision import End, half_precision

STAMPS = 20
"""Renders in a batch."""

_THINGS = (Places.THINGS, Places.THINGS_VARIED, Places.THINGS_AGAIN)


class Deck:
    """Draws rows without end, each once before any comes again."""

    def __init__(self, rows: Sequence[int]) -> None:
        self._rows, self._left = list(rows), list[int]()

    def draw(self, count: int) -> list[int]:
        """Take the next rows."""
        taken: list[int] = []
        while len(taken) < count:
            if not self._left:
                self._left = random.sample(self._rows, len(self._rows))
            taken.append(self._left.pop())
        return taken


class Reader:
    """Makes lessons: plain views in some steps, varied ones in the others, by their numbers."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._decks = {name: Deck(plan.training) for name, plan in material.rows.items()}

    def lesson(self, end: End, cycle: Cycle) -> Lesson:
        """Draw a batch and embed it."""
        of = self._material
        sizes = [len(album.labels) for album in of.things]
        turn = random.choices(range(len(sizes)), sizes)[0]
        thing_rows = self._rows(_THINGS[turn], cycle.things)
        people_varied = random.random() < _share(of.people)
        person_rows = self._rows(
            Places.PEOPLE_VARIED if people_varied else Places.PEOPLE, cycle.people
        )
        stamp_rows = self._rows(Places.STAMPS, STAMPS)
        things, humans = of.things[turn], of.people[people_varied]
        z = torch.cat(
            [
                embed(end, album, rows, cycle.patches)
                for album, rows in (
                    (things, thing_rows),
                    (humans, person_rows),
                    (of.stamps, stamp_rows),
                )
            ]
        )
        return Lesson(
            z,
            torch.from_numpy(thing_rows) + (len(of.things[0].labels) if turn else 0),
            torch.from_numpy(things.labels[thing_rows]),
            torch.from_numpy(humans.labels[person_rows]),
            torch.from_numpy(of.stamps.labels[stamp_rows]),
        )

    def _rows(self, name: str, count: int) -> np.ndarray:
        return np.sort(np.array(self._decks[name].draw(count)))


def _share(albums: tuple[Album, Album]) -> float:
    """Share of the varied views."""
    plain, varied = (len(album.labels) for album in albums)
    return varied / (plain + varied)


def embed(end: End, album: Album, rows: np.ndarray, patches: int) -> Tensor:
    """Embed views by at most so many of their patches: (B, D), L2-normalised."""
    there = album.tokens.shape[1] - 1
    kept = np.sort(np.random.permutation(there)[:patches])
    tokens = torch.from_numpy(album.tokens[rows][:, [0, *(1 + kept)]].astype(np.float32))
    with half_precision():
        z = end(tokens)
    return F.normalize(z.float(), dim=1)
