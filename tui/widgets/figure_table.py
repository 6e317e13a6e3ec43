"""Metrics, with what stands beside each under a name of its own, as lines of a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from db.records import Figure
from mapcap.stats import SIGNIFICANT
from tui.texts import number, safe
from tui.widgets.record_table import Column

# A figure's name with one of these endings stands beside it: what a map or text that knows
# nothing reaches, and by how much the figure is ahead of that.
_CHANCE: Final = ("-uniform", "-chance")
_BESIDE: Final = (*_CHANCE, "-centre-prior", "-gain")
_RHO: Final = "rho-"
_LONGEST: Final = len("nameless-retrieval-rank")


@dataclass(frozen=True)
class FigureLine:
    """A figure, and how accuracy correlates with it (or with how far it is gain) across classes."""

    figure: Figure
    chance: Figure | None
    gain: Figure | None
    rho: Figure | None
    q: float | None
    plotted: str

    @property
    def name(self) -> str:
        """The name of the figure."""
        return self.figure.name

    @property
    def plain(self) -> str:
        """The figure as text."""
        return f"{self.name}\t{self.figure.value:.4g}\t{_ends(self.figure)}"


def lines_of(figures: Sequence[Figure]) -> list[FigureLine]:
    """Return the figures that stand for themselves, by name; those of no item are left out."""
    by_name = {
        figure.name: figure for figure in figures if figure.n and math.isfinite(figure.value)
    }
    standalone = [
        figure
        for name, figure in by_name.items()
        if not name.startswith(_RHO)
        and not any(name.endswith(e) and name.removesuffix(e) in by_name for e in _BESIDE)
    ]
    return [_line(figure, by_name) for figure in standalone]


def _line(figure: Figure, by_name: dict[str, Figure]) -> FigureLine:
    name = figure.name
    correlated = [each for each in (name, f"{name}-gain") if f"{_RHO}{each}" in by_name]
    plotted = correlated[0] if correlated else name
    q = by_name.get(f"{_RHO}{plotted}-q")
    chances = [by_name[name + ending] for ending in _CHANCE if name + ending in by_name]
    return FigureLine(
        figure=figure,
        chance=chances[0] if chances else None,
        gain=by_name.get(f"{name}-gain"),
        rho=by_name.get(f"{_RHO}{plotted}"),
        q=q.value if q is not None else None,
        plotted=plotted,
    )


def figure_columns() -> list[Column[FigureLine]]:
    """Return the columns of the table, the least telling ones only where there is room."""
    return [
        Column("name", "metric", _LONGEST, lambda r, w: safe(r.name), wide=True),
        Column("value", "value", 7, lambda r, w: _value(r.figure), right=True),
        Column("interval", "95 %", 15, lambda r, w: Text(_ends(r.figure), "dim"), right=True,
               rank=3),
        Column("chance", "chance", 6, lambda r, w: _value(r.chance), right=True, rank=4),
        Column("gain", "gain", 7, lambda r, w: _gain(r.gain), right=True, rank=1),
        Column("n", "n", 6, lambda r, w: Text(f"{r.figure.n}", "dim"), right=True, rank=5),
        Column("rho", "rho", 6, _rho, right=True),
        Column("ends", "95 %", 14, lambda r, w: Text(_ends(r.rho, "+.2f"), "dim"), right=True,
               rank=6),
        Column("q", "q", 5, lambda r, w: number(r.q, 3), right=True, rank=2),
    ]  # fmt: skip


def _value(figure: Figure | None) -> Text:
    return Text("") if figure is None else Text(f"{figure.value:.3f}")


def _ends(figure: Figure | None, form: str = ".3f") -> str:
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return f"{figure.low:{form}} to {figure.high:{form}}"


def _gain(figure: Figure | None) -> Text:
    if figure is None:
        return Text("")
    style = ""
    if figure.low is not None and figure.high is not None:
        style = "green" if figure.low > 0 else "red" if figure.high < 0 else ""
    return Text(f"{figure.value:+.3f}", style)


def _rho(line: FigureLine, width: int) -> Text:
    if line.rho is None:
        return Text("")
    sure = line.q is not None and line.q <= SIGNIFICANT
    return Text(f"{line.rho.value:+.2f}", "bold yellow" if sure else "")
