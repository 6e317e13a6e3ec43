"""Findings: what may explain a class's errors, with comparable scores, the strongest first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["confusion", "word", "slice", "label", "background", "mark"]

MOST_EVIDENCE = 200
"""Images, and regions, kept as a finding's evidence."""
_MOST_OF_A_KIND = 3


@dataclass(frozen=True, eq=False)
class Found:
    """A finding before it is stored; `images` and `regions` are ids, the most telling first.

    `score` in [0, 1] is the share of the class's images concerned times the strength of the
    effect; `wrong` are the places of the wrong images that it explains.
    """

    kind: Kind
    title: str
    score: float
    figures: Mapping[str, Any]
    images: Sequence[int] = ()
    regions: Sequence[int] = ()
    wrong: frozenset[int] = field(default_factory=frozenset)


def ranked(found: Sequence[Found]) -> list[Found]:
    """Return findings in the order in which to read them.

    The best of each kind comes before the second of any, so that three confusions do not hide a
    mark; within a round the higher score is first.
    """
    best = sorted(found, key=lambda one: (-one.score, one.title))
    rounds: Counter[str] = Counter()
    placed = []
    for one in best:
        placed.append((rounds[one.kind], one))
        rounds[one.kind] += 1
    kept = [pair for pair in placed if pair[0] < _MOST_OF_A_KIND]
    return [one for _, one in sorted(kept, key=lambda pair: pair[0])]


def discounted(found: Sequence[Found], suspected: frozenset[int]) -> list[Found]:
    """Lower the scores of findings by the share of their wrong images whose label is doubted."""
    return [
        replace(one, score=one.score * (1 - len(one.wrong & suspected) / max(1, len(one.wrong))))
        for one in found
    ]
