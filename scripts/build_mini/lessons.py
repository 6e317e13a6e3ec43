"""Batches of the training: rows are drawn, views embedded."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from mapcap.metrics.localisation import coverage
from scripts.build_mini.assemble import GRID
from scripts.build_mini.cache import Album
from scripts.build_mini.cycles import Cycle
from scripts.build_mini.losses import Lesson
from scripts.build_mini.places import Places
from scripts.build_mini.shares import Material
from scripts.build_mini.vision import End, half_precision

STAMPS = 40
"""Renders in a batch."""
LEAST_SHOWN = 0.5
"""Of a box at least so much of one patch is left in, or the attention cannot lie in it."""

_THINGS = (Places.THINGS, Places.THINGS_VARIED, Places.THINGS_AGAIN, Places.THINGS_PASTED)


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
        looks = [
            look(end, album, rows, cycle.patches)
            for album, rows in (
                (things, thing_rows),
                (humans, person_rows),
                (of.stamps, stamp_rows),
            )
        ]
        return Lesson(
            torch.cat([each.z for each in looks]),
            inside(looks[0], things.boxes[thing_rows]),
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


@dataclass(frozen=True)
class Look:
    """What the end makes of B views by P of their patches."""

    z: Tensor
    """(B, D) L2-normalised."""
    attention: Tensor
    """(B, P) of the last block's CLS query."""
    patches: np.ndarray
    """(B, P) which of the grid's patches these are."""


def look(end: End, album: Album, rows: np.ndarray, patches: int) -> Look:
    """Embed views by at most so many of their patches."""
    there = album.tokens.shape[1] - 1
    kept = np.sort(np.random.permutation(there)[:patches])
    tokens = torch.from_numpy(album.tokens[rows][:, [0, *(1 + kept)]].astype(np.float32))
    # The fused kernel's backward pass is the slower one on a CPU.
    with half_precision(), sdpa_kernel(SDPBackend.MATH):
        z, attention = end.looking(tokens)
    return Look(F.normalize(z.float(), dim=1), attention.float(), album.patches[rows][:, kept])


def inside(seen: Look, boxes: np.ndarray) -> Tensor:
    """Share of the attention that lies in the boxes (B, 4), of the views that show theirs: (b,)."""
    covered = coverage(boxes, (1, 1), GRID).reshape(len(boxes), -1)
    shares = torch.from_numpy(np.take_along_axis(covered, seen.patches, 1)).float()  # (B, P)
    shown = shares.sum(1) >= LEAST_SHOWN
    found = (seen.attention * shares).sum(1) / seen.attention.sum(1)
    return found[shown]
