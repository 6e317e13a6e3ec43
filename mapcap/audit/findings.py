"""Findings: what may explain a class's errors, what costs most first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mapcap.audit.cost import NOTHING, Cost

MOST_EVIDENCE = 200
"""Images, and regions, kept as a finding's evidence."""
_MOST_OF_A_KIND = 3
_SAME_IMAGES = 0.6
"""Findings of a kind that share more of their misclassified images (Jaccard index) are one."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A finding as it is detected; `images` and `regions` are ids, the most telling first.

    `kind` is the name of a kind of the registry. `cost` is how many misclassified images it
    accounts for beyond chance; `wrong` are the places of those that it explains. `subject` is what
    it is about, without counts: by kind, class and subject the next audit's finding is the same
    one. Where it is empty, the contents of its images are the subject.
    """

    kind: str
    title: str
    cost: Cost
    figures: Mapping[str, Any]
    images: Sequence[int] = ()
    regions: Sequence[int] = ()
    wrong: frozenset[int] = field(default_factory=frozenset)
    subject: str = ""

    @property
    def is_note(self) -> bool:
        """Whether no error goes with it."""
        return self.cost == NOTHING


def same_images(images: frozenset[int], other: frozenset[int]) -> bool:
    """Tell whether two findings concern mostly the same misclassified images, given by place."""
    return len(images & other) > _SAME_IMAGES * len(images | other)


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings in the order in which to read them: by what they cost, notes last.

    At most three of a kind stay. Where the cost is the same, the kinds' own order stays.
    """
    kept: list[Finding] = []
    kinds: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda finding: -finding.cost.images):
        if kinds[finding.kind] < _MOST_OF_A_KIND:
            kept.append(finding)
        kinds[finding.kind] += 1
    return kept


def discounted(findings: Sequence[Finding], suspected: frozenset[int]) -> list[Finding]:
    """Lower the costs of findings by the share of their wrong images whose label is doubted."""
    return [
        replace(
            finding,
            cost=finding.cost.scaled(
                1 - len(finding.wrong & suspected) / max(1, len(finding.wrong))
            ),
        )
        for finding in findings
    ]
