"""What the line of a class may speak of, and the clauses that it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapcap.audit.findings import Finding
from mapcap.audit.word_rows import WordRow
from mapcap.stats import SIGNIFICANT

ENOUGH = 5
"""Wrong, and right, images without which the two are not compared."""
ALIKE, UNLIKE = 0.95, 0.85
"""Cosines of regions or maps above which they are the same, and below which they differ."""


@dataclass(frozen=True)
class Clause:
    """A part of the line and the figures that it is made from."""

    text: str
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the line may speak of; `figures` are those of calibration and likeness."""

    name: str
    images: int
    right: int
    figures: Mapping[str, Any]
    findings: Sequence[Finding]
    words: Sequence[WordRow]
    pairs: Sequence[WordRow]

    @property
    def wrong(self) -> int:
        """Number of wrong images."""
        return self.images - self.right

    @property
    def comparable(self) -> bool:
        """Whether there are enough wrong and right images to compare them."""
        return min(self.right, self.wrong) >= ENOUGH

    @property
    def same_regions(self) -> bool:
        """Whether the errors look at what the right images look at."""
        cosine, p = self.figures["regions_cosine"], self.figures["regions_p"]
        return cosine is not None and cosine >= UNLIKE and (cosine >= ALIKE or p > SIGNIFICANT)

    def of_kind(self, *kinds: str) -> list[Finding]:
        """Return the findings of some kinds, in their order."""
        return [finding for finding in self.findings if finding.kind in kinds]
