"""What changed from one run of a file to another, on the images that both predicted."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine

from db.queries import paired_predictions
from mapcap.stats import Change, change, changes


@dataclass(frozen=True, slots=True)
class Comparison:
    """The change over all images, None if the runs share none, and of each class by its id."""

    overall: Change | None
    classes: dict[int, Change]


def compare(engine: Engine, run_id: int, before_id: int, class_id: int | None = None) -> Comparison:
    """Compare a run with one before it, by the classes of the run: all, or `class_id` alone."""
    pairs: dict[int, list[tuple[bool, bool]]] = {}
    for paired in paired_predictions(engine, run_id, before_id):
        if class_id is None or paired.class_id == class_id:
            pairs.setdefault(paired.class_id, []).append((paired.before, paired.now))
    everything = [pair for of_class in pairs.values() for pair in of_class]
    return Comparison(change(everything) if everything else None, changes(pairs) if pairs else {})


def verdict(paired: Change) -> Literal["better", "worse", "not significant"]:
    """Return what McNemar's test says of a change, in words."""
    if not paired.sure:
        return "not significant"
    return "better" if paired.gained > paired.lost else "worse"
