"""The poster's open question, answered in one sentence: what does accuracy correlate with?"""

from collections.abc import Iterable
from math import sqrt
from typing import Protocol

from mapcap.metrics.names import CORRELATED, CORRELATION, FIGURES
from mapcap.stats import FEWEST_CLASSES, SIGNIFICANT, Z
from mapcap.text import counted

_MOST_NAMED = 3


class Stated(Protocol):
    """A figure as the store hands it out."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def value(self) -> float:
        """Its value."""

    @property
    def low(self) -> float | None:
        """The interval's lower end."""

    @property
    def high(self) -> float | None:
        """The interval's upper end."""

    @property
    def n(self) -> int:
        """What it was measured on."""


def unconfounded(figures: Iterable[Stated]) -> list[str]:
    """Return the figures whose link with accuracy is a question and has an answer.

    The strongest link comes first.
    """
    by_name = {figure.name: figure for figure in figures}
    named = [name for name in CORRELATED if not FIGURES[name].confounded and _whole(by_name, name)]
    return sorted(named, key=lambda name: -abs(by_name[f"{CORRELATION}{name}"].value))


def _whole(by_name: dict[str, Stated], name: str) -> bool:
    """Return whether a link has all its figures: a file that somebody sent may lack some."""
    rho = by_name.get(f"{CORRELATION}{name}")
    complete = (
        rho is not None and rho.n >= FEWEST_CLASSES and rho.low is not None and rho.high is not None
    )
    return complete and f"{CORRELATION}{name}-q" in by_name


def linked(figures: Iterable[Stated]) -> list[tuple[str, float]]:
    """Return the metrics that accuracy correlates with, each with its rho; the strongest first.

    A link counts if its false discovery rate is at most 5 %.
    """
    by_name = {figure.name: figure for figure in figures}
    return [
        (name, by_name[f"{CORRELATION}{name}"].value)
        for name in unconfounded(by_name.values())
        if by_name[f"{CORRELATION}{name}-q"].value <= SIGNIFICANT
    ]


def answer(figures: Iterable[Stated]) -> str | None:
    """Say in one sentence which metrics accuracy correlates with, None if none is known.

    The links are those of `linked`.
    """
    by_name = {figure.name: figure for figure in figures}
    names = unconfounded(by_name.values())
    if not names:
        return None
    links = [name for name, _ in linked(by_name.values())]
    n = by_name[f"{CORRELATION}{names[0]}"].n
    if not links:
        q = by_name[f"{CORRELATION}{names[0]}-q"].value
        return (
            f"Across {n} classes none of the {len(names)} metrics correlates significantly with "
            f"accuracy; the strongest is {_link(by_name, names[0])}, false discovery rate {q:.2f}. "
            f"With so few classes, only correlations beyond about {min(1.0, Z / sqrt(n - 1)):.2f} "
            "can be distinguished from chance one by one."
        )
    strongest = ", ".join(_link(by_name, name) for name in links[:_MOST_NAMED])
    more = f", and {len(links) - _MOST_NAMED} more" if len(links) > _MOST_NAMED else ""
    others = len(names) - len(links)
    rest = f"; with {counted(others, 'other metric')} no correlation shows" if others else ""
    return (
        f"Across {n} classes, at a false discovery rate under {SIGNIFICANT:.0%}, accuracy "
        f"correlates with {strongest}{more}{rest} "
        "(intervals of selected correlations: too far from 0)."
    )


def _link(by_name: dict[str, Stated], name: str) -> str:
    rho = by_name[f"{CORRELATION}{name}"]
    assert rho.low is not None and rho.high is not None, "a correlation has an interval"
    return f"{name} (rho {rho.value:+.2f}, 95 % {rho.low:+.2f} to {rho.high:+.2f})"
