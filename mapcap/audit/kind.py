"""What every kind of finding tells of itself, and how the figures of a finding are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mapcap.audit.findings import Finding
from mapcap.audit.inputs import AuditInputs

_TINY = 0.001
_LONGEST = 160


@dataclass(frozen=True)
class Kind:
    """A kind of finding: one file of `mapcap.audit.kinds`, and one line of its registry."""

    name: str
    """What the store calls it."""
    plain: str
    """What a person reads, at most ten characters."""
    colour: str
    """`#rrggbb`: the app's tag."""
    detect: Callable[[AuditInputs], list[Finding]]
    """Return the findings of a class."""
    details: Callable[[Finding], list[str]]
    """Return the figures of a finding as printed lines, the most telling first."""
    clause: Callable[[Finding], str] | None
    """Return what the class's line says of a finding as a cause; None if the kind names none."""
    overlay: bool = True
    """Whether its pictures bear the relevance; not where the photo itself is to be judged."""
    of_errors: bool = True
    """Whether it needs to know which images are misclassified, and so their labels."""


def printed(kind: Kind, finding: Finding, *, labelled: bool = True) -> list[str]:
    """Return what is printed of a finding below its title: its cost, then its kind's details.

    Without labels nothing has a cost.
    """
    if not labelled:
        return kind.details(finding)
    if finding.is_note:
        cost = str(finding.figures.get("note") or "A note: no error of the class goes with it.")
    else:
        cost = f"{str(finding.cost).capitalize()}: misclassified beyond chance, 95 % interval."
    return [cost, *kind.details(finding)]


def percent(share: float) -> str:
    """Return a share of one as a percentage."""
    return f"{100 * share:.0f} %"


def chance(value: float, name: str = "p") -> str:
    """Return a p or q as text."""
    return f"{name} {value:.1e}" if 0 < value < _TINY else f"{name} {value:.3f}"


def listed(mark: str, text: str) -> str:
    """Return a line of a list: a mark or a count, and a text."""
    return f"  {mark:>3} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}"


def with_without(what: str, having: Sequence[float], lacking: Sequence[float]) -> str:
    """Return accuracies with and without something, each given as (correct, images)."""
    parts = [percent(right / images) if images else "-" for right, images in (having, lacking)]
    return (
        f"With {what} {parts[0]} correct ({having[0]} of {having[1]}), "
        f"without {parts[1]} ({lacking[0]} of {lacking[1]})."
    )
