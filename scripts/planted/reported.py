"""What an audit reported, and what both test beds ask of it: how early, and of which labels."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

FIRST: Final = 3
"""A fault counts as found if one of so many first findings of its class says it."""


@dataclass(frozen=True)
class Reported:
    """A finding of the audit; `images` are paths below the folder; a note goes with no error."""

    kind: str
    title: str
    figures: Mapping[str, Any]
    images: Sequence[str] = ()
    is_note: bool = False
    subject: str = ""


@dataclass(frozen=True)
class Placed:
    """Where the first finding that says a fault stands among all of its class, notes too.

    `position` counts from 1, None if none says it; `at_random` is the position that a random order
    of these findings would give on average.
    """

    position: int | None
    at_random: float | None
    title: str | None

    @property
    def found(self) -> bool:
        """Tell whether it is one of the first findings."""
        return self.position is not None and self.position <= FIRST


def placed(findings: Sequence[Reported], says: Callable[[Reported], bool]) -> Placed:
    """Return where the first of the findings stands that says something."""
    places = [i for i, finding in enumerate(findings) if says(finding)]
    if not places:
        return Placed(None, None, None)
    # The mean of the smallest of so many places drawn from all.
    at_random = (len(findings) + 1) / (len(places) + 1)
    return Placed(places[0] + 1, at_random, findings[places[0]].title)


@dataclass(frozen=True)
class Suspicion:
    """The images named by the label findings of all classes against the wrong labels.

    `noted` are those that notes list, one alone in its class each, and `noted_right` those of them
    whose label is wrong.
    """

    named: int
    right: int
    wrong_labels: int
    noted: int
    noted_right: int

    @property
    def precision(self) -> float | None:
        """Return the share of the named images whose label is wrong."""
        return self.right / self.named if self.named else None

    @property
    def recall(self) -> float | None:
        """Return the share of the wrong labels that were named."""
        return self.right / self.wrong_labels if self.wrong_labels else None


def suspicion(
    findings: Mapping[str, Sequence[Reported]], judged: Collection[str], wrong: Collection[str]
) -> Suspicion:
    """Compare the images named by the label findings of all classes with the wrong labels.

    Only images that are `judged` count; those with `wrong` labels are among them.
    """
    named, noted = (
        {
            path
            for reported in findings.values()
            for finding in reported
            if finding.kind == "label" and finding.is_note == is_note
            for path in finding.images
            if path in judged
        }
        for is_note in (False, True)
    )
    return Suspicion(
        len(named),
        len(named.intersection(wrong)),
        len(wrong),
        len(noted),
        len(noted.intersection(wrong)),
    )
