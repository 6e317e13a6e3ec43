"""Renders of cut-outs for the training: of emoji, and of Tux Paint's stamps that no sample and no
test bed uses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.build_mini.appearance import Nouns
from scripts.build_mini.classes import with_article
from scripts.build_mini.cutouts import ground_of, made_view, on_ground
from scripts.build_mini.emoji import drawn_emoji
from scripts.build_mini.grounds import GROUNDS, Ground
from scripts.build_mini.people import tidy_sentence
from scripts.build_mini.views import View
from scripts.build_sample.cutouts import STAMPS as PLANTED
from scripts.build_sample.render import may_mirror, read_stamps
from scripts.rendering.compose import load_cutout

RENDERS, EMOJI_RENDERS = 6, 2
"""Pictures of each stamp and of each emoji, of which every thing has five."""
_ENLARGED, _ROTATION = 1.8, 15.0
_LEFT_OUT = frozenset(
    ("symbols", "cartoon", "flags", "chess", "faces", "plastic", "roadsigns", "hanukkah")
)
_OF_THE_FILE = frozenset(("closed", "hatched", "mean", "outline", "photo", "small", "stand"))
_KINDS = {
    "apes": "ape", "arttools": "tool", "auto": "car", "bears": "bear", "birds": "bird",
    "body_parts": "body part", "bovines": "cow", "brass": "musical instrument", "camel": "camel",
    "cats": "cat", "clothes": "piece of clothing", "cycle": "bicycle", "deer": "deer",
    "dishes": "dish", "dogs": "dog", "equines": "horse", "fish": "fish", "flowers": "flower",
    "fruit": "fruit", "hats": "hat", "insects": "insect", "lizards": "lizard", "mammals": "mammal",
    "moon": "moon", "mushrooms": "mushroom", "nuts": "nut", "people": "person",
    "percussion": "musical instrument", "planes": "plane", "planets": "planet",
    "rodents": "rodent", "ship": "ship", "shellfish": "shellfish", "string": "musical instrument",
    "tools": "tool", "trees": "tree", "utensils": "kitchen tool", "vegetables": "vegetable",
    "wind": "musical instrument",
}  # fmt: skip
"""What the pictures of a folder show; folders of mixed things are not named."""


@dataclass(frozen=True)
class Stamp:
    """A cut-out, its sentence, and what kind of thing its folder holds."""

    path: Path
    sentence: str
    kind: str
    """"" where the folder holds mixed things."""
    renders: int = RENDERS
    """So many pictures are made of it."""

    @property
    def nouns(self) -> Nouns:
        """What a caption may call it: by its sentence if that is short, else by its file's name."""
        told = self.sentence.rstrip(".").removeprefix("a ").removeprefix("an ")
        name = told if told.isalpha() or len(told.split()) == 2 else _bare(self.path.stem)
        return Nouns(name, (), (self.kind,) if self.kind not in ("", name) else ())

    @property
    def called(self) -> Nouns:
        """What the captioner is to call it: its kind, or the last word of its name.

        There are a few stamps of each kind, so that of a new one a name would be another's: "an
        electric kettle" of a teapot.
        """
        return Nouns(self.kind or re.findall("[a-z]+", self.nouns.name)[-1], (), ())

    @property
    def texts(self) -> tuple[str, ...]:
        """What the picture may be called."""
        if not self.kind:
            return (self.sentence,)
        return self.sentence, f"a photo of {with_article(self.kind)}", self.kind


def _bare(stem: str) -> str:
    """`3_brown-cow_photo2` is a brown cow."""
    words = re.findall(r"[a-z]+", stem.lower())
    return " ".join(word for word in words if word not in _OF_THE_FILE)


def training_stamps(folder: Path, emoji: Path) -> list[Stamp]:
    """List the stamps that the sample and the planted test bed do not use, by path, and the emoji.

    `emoji` is the folder that the step of this name left.
    """
    used = {stamp for stamps in read_stamps().values() for stamp in stamps} | set(PLANTED.values())
    found = []
    for path in sorted(folder.rglob("*.png")):
        place, told = path.relative_to(folder), path.with_suffix(".txt")
        hidden = place.as_posix() in used or not _LEFT_OUT.isdisjoint(place.parts)
        if hidden or path.stem.endswith("_mirror") or not told.is_file():
            continue
        lines = told.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines and lines[0].strip():
            found.append(Stamp(path, tidy_sentence(lines[0]), _KINDS.get(path.parent.name, "")))
    return found + [
        Stamp(each.path, each.said + ".", each.kind, EMOJI_RENDERS) for each in drawn_emoji(emoji)
    ]


def renders(found: Sequence[Stamp]) -> list[tuple[int, int]]:
    """List all pictures: the stamp's number, and which of its pictures, turn after turn."""
    return [
        (number, turn)
        for turn in range(RENDERS)
        for number, stamp in enumerate(found)
        if turn < stamp.renders
    ]


def ground(stamp: Stamp, turn: int) -> Ground:
    """What lies behind a stamp in its picture of this turn."""
    return GROUNDS[ground_of(_seed(stamp, turn))]


def render(stamp: Stamp, turn: int) -> tuple[View, np.ndarray]:
    """Put a stamp on a background, the same one every time: the view, and its mask (S, S)."""
    cutout = load_cutout(stamp.path)
    mirror = may_mirror(stamp.path)
    made = on_ground(cutout, _seed(stamp, turn), _ENLARGED, mirror=mirror, rotation=_ROTATION)
    return made_view(made), made.alpha >= 128


def _seed(stamp: Stamp, turn: int) -> str:
    return f"{stamp.path.parent.name}/{stamp.path.name}/{turn}"
