"""Findings: what may explain a class's errors, with comparable scores, the strongest first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MOST_EVIDENCE = 200
"""Images, and regions, kept as a finding's evidence."""
_MOST_OF_A_KIND = 3


@dataclass(frozen=True, eq=False)
class Finding:
    """A finding as it is detected; `images` and `regions` are ids, the most telling first.

    `kind` is the name of a kind of the registry. `score` in [0, 1] is the share of the class's
    images concerned times the strength of the effect; `wrong` are the places of the wrong images
    that it explains.
    """

    kind: str
    title: str
    score: float
    figures: Mapping[str, Any]
    images: Sequence[int] = ()
    regions: Sequence[int] = ()
    wrong: frozenset[int] = field(default_factory=frozenset)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings in the order in which to read them.

    The best of each kind comes before the second of any, so that three confusions do not hide a
    watermark; within a round the higher score is first. What explains nothing (score 0) is last.
    """
    best = sorted(findings, key=lambda finding: (-finding.score, finding.title))
    rounds: Counter[str] = Counter()
    placed = []
    for finding in best:
        placed.append((rounds[finding.kind], finding))
        rounds[finding.kind] += 1
    kept = [pair for pair in placed if pair[0] < _MOST_OF_A_KIND]
    order = sorted(kept, key=lambda pair: (pair[1].score == 0, pair[0]))
    return [finding for _, finding in order]


def discounted(findings: Sequence[Finding], suspected: frozenset[int]) -> list[Finding]:
    """Lower the scores of findings by the share of their wrong images whose label is doubted."""
    return [
        replace(
            finding,
            score=finding.score * (1 - len(finding.wrong & suspected) / max(1, len(finding.wrong))),
        )
        for finding in findings
    ]
