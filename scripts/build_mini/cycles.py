"""The cycles of the training: how long, how fast, on how much of a photo, with which weights."""

from dataclasses import dataclass

from scripts.build_mini.losses import Weights


@dataclass(frozen=True)
class Cycle:
    """One pass of the learning rate up and down."""

    steps: int
    rate: float
    patches: int
    """Patches, of 100 (of a varied view's 50), that are left in for a step."""
    things: int
    """Photos of things in a batch."""
    people: int
    """Photos of people in a batch."""
    weights: Weights


FIRST = Cycle(
    steps=1_200,
    rate=1.8e-4,
    patches=28,
    things=152,
    people=56,
    weights=Weights(
        hypernyms=0.4, nearness=0.5, sentences=0.6, tags=0.05, inside=0.3, described=0.2, bare=0.3
    ),
)

SECOND = Cycle(
    steps=200,
    rate=1.0e-4,
    patches=50,
    things=144,
    people=56,
    weights=Weights(
        hypernyms=0.25, nearness=0.3, sentences=0.5, tags=0.04, inside=0.3, described=0.1, bare=0.6
    ),
)

THIRD = Cycle(
    steps=1_000,
    rate=1.3e-4,
    patches=30,
    things=176,
    people=44,
    weights=Weights(
        hypernyms=0.25, nearness=0.3, sentences=0.4, tags=0.04, inside=0.3, described=0.1, bare=0.6
    ),
)
