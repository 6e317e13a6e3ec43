"""The metrics of a run, grouped as the page shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from db.records import Figure
from mapcap.metrics.answer import answer
from mapcap.metrics.names import CORRELATED, CORRELATION, FIGURES, Kind

_TITLES: Final[dict[Kind, str]] = {
    "localisation": "Localisation: maps against boxes",
    "faithfulness": "Faithfulness: does the prediction rest on it?",
    "maps": "Maps",
    "sanity": "Sanity: how far maps stay when they should change",
    "captions": "Captions",
    "summaries": "Summaries",
}
_SCALES: Final = {
    "share": (0.0, 1.0),
    "probability": (0.0, 1.0),
    "intersection over union": (0.0, 1.0),
    "cosine": (0.0, 1.0),
    "rho": (-1.0, 1.0),
}
_BESIDE: Final = ("-random", "-gain")


@dataclass(frozen=True)
class MetricRow:
    """A figure with its interval, what stands beside it, and the ends of its scale if it has one.

    `q` is the false discovery rate of a correlation.
    """

    name: str
    line: str
    value: float
    low: float | None
    high: float | None
    n: int
    beside: list[tuple[str, float]]
    gain: Figure | None
    scale: tuple[float, float] | None
    q: float | None = None

    def at(self, value: float) -> float:
        """Return where a value stands on the scale, in percent of its length."""
        low, high = self.scale or (0.0, 1.0)
        return 100 * min(1.0, max(0.0, (value - low) / (high - low)))


@dataclass(frozen=True)
class Metrics:
    """All that was measured of a run: groups of figures, correlations, and the answer."""

    groups: list[tuple[str, list[MetricRow]]]
    links: list[MetricRow]
    answer: str | None


def group_metrics(figures: Iterable[Figure]) -> Metrics | None:
    """Group the figures of a run, None if nothing was measured."""
    by_name = {figure.name: figure for figure in figures if figure.n}
    groups = [(title, _group(by_name, kind)) for kind, title in _TITLES.items()]
    filled = [(title, rows) for title, rows in groups if rows]
    links = _links(by_name)
    if not filled and not links:
        return None
    return Metrics(filled, links, answer(by_name.values()) if links else None)


def _group(by_name: Mapping[str, Figure], kind: Kind) -> list[MetricRow]:
    return [
        MetricRow(
            name=name,
            line=FIGURES[name].line,
            value=by_name[name].value,
            low=by_name[name].low,
            high=by_name[name].high,
            n=by_name[name].n,
            beside=_beside(by_name, name),
            gain=by_name.get(f"{name}-gain"),
            scale=_SCALES.get(FIGURES[name].unit),
        )
        for name in FIGURES
        if FIGURES[name].kind == kind and name in by_name and not name.endswith(_BESIDE)
    ]


def _beside(by_name: Mapping[str, Figure], name: str) -> list[tuple[str, float]]:
    """Return the levels that a figure is compared with, each with its name."""
    levels = {
        "centre prior": f"{name}-centre-prior",
        "uniform": f"{name}-uniform",
        "chance": f"{name}-chance",
        "random": f"{name.rpartition('-')[0]}-random",
    }
    return [(called, by_name[key].value) for called, key in levels.items() if key in by_name]


def _links(by_name: Mapping[str, Figure]) -> list[MetricRow]:
    """Return how accuracy correlates with other figures across classes, the strongest first."""
    links = []
    for name in CORRELATED:
        rho = by_name.get(f"{CORRELATION}{name}")
        if rho is None:
            continue
        q = by_name.get(f"{CORRELATION}{name}-q")
        line = FIGURES[name].line
        if FIGURES[name].confounded:
            line += " (from the same probabilities as accuracy, and correlated by construction)"
        links.append(
            MetricRow(
                name, line, rho.value, rho.low, rho.high, rho.n, [], None, (-1.0, 1.0),
                None if q is None else q.value,
            )
        )  # fmt: skip
    return sorted(links, key=lambda link: -abs(link.value))
