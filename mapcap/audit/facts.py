"""What the line of a class may speak of, and the clauses that it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapcap.audit.findings import Finding
from mapcap.audit.word_rows import WordRow
from mapcap.stats import SIGNIFICANT

ENOUGH = 5
"""Wrong, and right, images without which the two are not compared."""


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
    labelled: bool = True

    @property
    def wrong(self) -> int:
        """Number of wrong images."""
        return self.images - self.right

    @property
    def comparable(self) -> bool:
        """Whether there are enough wrong and right images to compare them."""
        return min(self.right, self.wrong) >= ENOUGH

    @property
    def regions_differ(self) -> bool | None:
        """Whether the errors look at something else than the right images; None if nobody knows."""
        p = self.figures["regions_p"]
        return None if p is None else bool(p <= SIGNIFICANT)

    @property
    def regions_as_alike(self) -> bool:
        """Whether the errors look at what the right images do, as surely as these at the same.

        The yardstick is how alike halves of the right images are: the whole interval must reach it.
        """
        low, half = self.figures["regions_low"], self.figures["regions_half_low"]
        return self.regions_differ is False and low is not None and low >= half

    def of_kind(self, *kinds: str) -> list[Finding]:
        """Return the findings of some kinds, in their order."""
        return [finding for finding in self.findings if finding.kind in kinds]
