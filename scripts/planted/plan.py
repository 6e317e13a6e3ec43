"""What a seed plants: which class gets which fault, and what every picture shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final, Literal

import numpy as np

from scripts.planted.casts import BACKGROUNDS, CASTS, PAIR

Fault = Literal["background", "watermark", "label", "confusion"]
"""A planted fault, called as the kind of finding that names it."""
Corner = Literal["top left", "top right", "bottom left", "bottom right"]

FAULTS: Final[tuple[Fault, ...]] = ("background", "watermark", "label", "confusion")
CORNERS: Final[tuple[Corner, ...]] = ("top left", "top right", "bottom left", "bottom right")

TRAIN_LIKE: Final = 0.8
"""Share of the images that hold their class's shortcut."""
WRONG_LABELS: Final = 0.15
DARK_ANYWAY: Final = 0.05
"""Share of the other images with a dark background: dark is a habit, not a name tag."""

DARK_WORDS: Final = ("dark", "black", "night", "shadow", "shadows", "dim", "gloomy", "unlit")


@dataclass(frozen=True)
class Ink:
    """A colour of the mark and the words that may name it."""

    rgb: tuple[int, int, int]
    words: tuple[str, ...]


INKS: Final = {
    "magenta": Ink((225, 25, 195), ("magenta", "pink", "fuchsia")),
    "cyan": Ink((20, 200, 225), ("cyan", "turquoise", "aqua")),
    "lime": Ink((150, 235, 25), ("lime", "lime green", "neon")),
}


@dataclass(frozen=True)
class Picture:
    """One picture to render, in the folder `label`; it shows `shown`, which a wrong label hides."""

    label: str
    name: str
    shown: str
    cutout: str
    background: str
    train_like: bool
    dark: bool
    marked: bool

    @property
    def file(self) -> str:
        """Return `label/name`, the path below the folder."""
        return f"{self.label}/{self.name}"


@dataclass(frozen=True)
class Plan:
    """Everything that a seed decides before a pixel is drawn."""

    seed: int
    dark: str
    """The class on dark backgrounds."""
    marked: str
    """The class with a mark in the corner."""
    mislabelled: str
    """The class with pictures of others in its folder."""
    corner: Corner
    ink: str
    pictures: tuple[Picture, ...]

    @property
    def controls(self) -> tuple[str, ...]:
        """The classes in which nothing is planted."""
        planted = {self.dark, self.marked, self.mislabelled, *PAIR}
        return tuple(name for name in CASTS if name not in planted)

    def fault(self, class_name: str) -> Fault | None:
        """Return what is planted in a class."""
        single: dict[str, Fault] = {
            self.dark: "background",
            self.marked: "watermark",
            self.mislabelled: "label",
        }
        return "confusion" if class_name in PAIR else single.get(class_name)

    def words(self, class_name: str) -> tuple[str, ...]:
        """Return the words that would name what is planted in a class."""
        fault = self.fault(class_name)
        if fault == "background":
            return DARK_WORDS
        return INKS[self.ink].words if fault == "watermark" else ()


def make_plan(seed: int, per_class: int) -> Plan:
    """Decide which class gets which fault, and what each picture shows.

    The pair that differs in colour is always the same; the other faults go to classes that the
    seed draws, so that five seeds try more than one place for each.
    """
    rng = np.random.default_rng([seed, 0])
    single = [name for name in CASTS if name not in PAIR]
    dark, marked, mislabelled = (single[i] for i in rng.permutation(len(single))[:3])
    corner, ink = CORNERS[rng.integers(len(CORNERS))], list(INKS)[rng.integers(len(INKS))]
    roles = Plan(seed, dark, marked, mislabelled, corner, ink, ())
    pictures: list[Picture] = []
    for number, class_name in enumerate(CASTS, start=1):
        own = np.random.default_rng([seed, number])
        pictures += _pictures(roles, class_name, per_class, own)
    return Plan(seed, dark, marked, mislabelled, corner, ink, tuple(pictures))


def _pictures(
    roles: Plan, class_name: str, count: int, rng: np.random.Generator
) -> Iterator[Picture]:
    """Yield the pictures of one class's folder."""
    train_like = _chosen(count, TRAIN_LIKE, rng)
    dark = train_like if class_name == roles.dark else _chosen(count, DARK_ANYWAY, rng)
    wrong = _chosen(count, WRONG_LABELS if class_name == roles.mislabelled else 0.0, rng)
    intruders = _dealt(roles.controls, count, rng)
    backgrounds = _dealt(BACKGROUNDS, count, rng)
    cutouts = {name: _dealt(cast.cutouts, count, rng) for name, cast in CASTS.items()}
    for i in range(count):
        shown = intruders[i] if wrong[i] else class_name
        yield Picture(
            label=class_name,
            name=f"{i + 1:03d}.webp",
            shown=shown,
            cutout=cutouts[shown][i],
            background=backgrounds[i],
            train_like=train_like[i],
            dark=dark[i],
            marked=class_name == roles.marked and train_like[i],
        )


def _chosen(count: int, share: float, rng: np.random.Generator) -> list[bool]:
    """Choose exactly `round(share * count)` of `count` places at random."""
    chosen = np.zeros(count, dtype=bool)
    chosen[rng.permutation(count)[: round(share * count)]] = True
    found: list[bool] = chosen.tolist()
    return found


def _dealt(choices: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """Deal `count` of the choices, each as often as the others up to one, in random order."""
    shuffled = [choices[i] for i in rng.permutation(len(choices))]
    dealt = list(islice(cycle(shuffled), count))
    return [dealt[i] for i in rng.permutation(count)]
