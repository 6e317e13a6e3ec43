"""Records of the audit's findings and of the metrics."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A kind of finding: what the store calls it, what a person reads, and its `#rrggbb`."""

    name: str
    plain: str
    colour: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that may explain a class's errors; position 0 is the class's first.

    `score` is how many misclassified images it accounts for beyond chance, 0 for a note, which
    stands below all findings; of an older audit it is a figure in [0, 1]. `figures` are the numbers
    behind the title; `images` and `regions` count what is stored as its evidence. Of its kind,
    `plain` is what a person reads and `colour` is `#rrggbb`; `overlay` says whether its pictures
    bear the relevance. `details` are the figures as printed lines; `subject` is what it is about,
    without counts. An audit by an older MapCap has neither.
    """

    id: int
    class_id: int
    kind: str
    position: int
    title: str
    score: float
    figures: dict[str, Any]
    images: int
    regions: int
    plain: str
    colour: str
    overlay: bool
    details: list[str]
    subject: str

    @property
    def is_note(self) -> bool:
        """Whether no error goes with it."""
        return self.score == 0


@dataclass(frozen=True, slots=True)
class ClassAudit:
    """The one line about a class, its clauses with the figures behind them, its calibration.

    Each clause is `{"text": ..., "figures": {...}}`.
    """

    class_id: int
    line: str
    clauses: list[dict[str, Any]]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorWord:
    """A word or phrase of a class's captions, tested for marking its errors.

    `against_class_id` None compares the class's misclassified images with its correct ones, else
    its images predicted as that class with the correct ones of that class. `log_odds` is positive
    where the word marks the errors; `q` is the false discovery rate; `b2t` the difference of CLIP
    scores with its 95 % interval. Of the two groups, `images` hold the word: `wrong` misclassified
    and `correct` correct ones.
    """

    word: str
    against_class_id: int | None
    log_odds: float
    z: float
    q: float
    b2t: float | None
    b2t_low: float | None
    b2t_high: float | None
    images: int
    correct: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of a run over `n` items; the interval is None where there is none."""

    name: str
    value: float
    low: float | None
    high: float | None
    n: int
