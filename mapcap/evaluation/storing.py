"""From values to stored figures: of the run with intervals, of its classes, and how they go."""

from collections.abc import Mapping

import numpy as np
from sqlalchemy import Engine

from db import queries, writes
from db.records import Figure
from db.stats import wilson
from mapcap.evaluation.values import Values
from mapcap.metrics.names import CORRELATED, CORRELATION, FIGURES
from mapcap.metrics.retrieval import TOP, chance_rank, chance_top
from mapcap.resampling import mean_interval
from mapcap.stats import Correlation, false_discovery, spearman

_SHARES = {
    "boxes-excluded", "maps-empty", "summary-worse",
    "class-retrieval-top1", "class-retrieval-top5",
    "nameless-retrieval-top1", "nameless-retrieval-top5",
}  # fmt: skip
"""Figures whose values are 0 or 1: their interval is Wilson's, which resampling is not near 0."""
_OF_CLASSES = ("basis-",)
"""Beginnings of names that mean nothing for a whole run."""


def store_values(engine: Engine, run_id: int, values: Mapping[int, Values], seed: int) -> None:
    """Store the means of values by class id and over all classes, and how accuracy correlates."""
    names = sorted({name for named in values.values() for name in named})
    figures = [
        run_figure(name, np.concatenate([v[name] for v in values.values() if name in v]), seed)
        for name in names
        if not name.startswith(_OF_CLASSES)
    ]
    per_class = {
        class_id: {name: float(series.mean()) for name, series in named.items() if series.size}
        for class_id, named in values.items()
    }
    figures = [figure for figure in figures if figure.n]
    if any(figure.name == "class-retrieval-rank" for figure in figures):
        figures += chance_figures(len(queries.classes(engine, run_id)))
    basis = {class_id: _basis(named) for class_id, named in per_class.items()}
    measured = {
        class_id: {name: value for name, value in named.items() if name not in basis[class_id]}
        for class_id, named in per_class.items()
    }
    writes.set_figures(engine, run_id, figures, measured)
    store_correlations(engine, run_id)
    # Last: a class that lacks its basis is measured again, should this be cut short.
    writes.set_figures(engine, run_id, [], basis)


def _basis(named: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in named.items() if name.startswith(_OF_CLASSES)}


def run_figure(name: str, values: np.ndarray, seed: int) -> Figure:
    """Return the figure of a run whose values (n,) these are, with its interval."""
    n = len(values)
    if not n:
        return Figure(name, 0.0, None, None, 0)
    mean = float(values.mean())
    interval = (
        wilson(round(values.sum()), n) if name in _SHARES else mean_interval(values, seed=seed)
    )
    low, high = (None, None) if interval is None else interval
    return Figure(name, mean, low, high, n)


def chance_figures(classes: int) -> list[Figure]:
    """Return the levels of retrieval that a text without knowledge has."""
    levels = {
        "class-retrieval-rank": chance_rank(classes),
        "class-retrieval-top1": chance_top(classes, 1),
        "class-retrieval-top5": chance_top(classes, TOP),
    }
    return [Figure(f"{name}-chance", level, None, None, classes) for name, level in levels.items()]


def store_correlations(engine: Engine, run_id: int) -> None:
    """Hold accuracy against every class figure that is stored, and store what comes out.

    A figure that is the same in all classes, or known of too few, is stored with n 0.
    """
    accuracy = {c.id: c.accuracy for c in queries.classes(engine, run_id)}
    stored = queries.class_figures(engine, run_id)
    correlations: dict[str, Correlation | None] = {}
    for name in CORRELATED:
        pairs = [
            (right, stored[class_id][name])
            for class_id, right in accuracy.items()
            if right is not None and name in stored.get(class_id, {})
        ]
        if pairs:
            x, y = np.array(pairs, float).T
            correlations[name] = spearman(x, y)
    computed = {
        name: correlation for name, correlation in correlations.items() if correlation is not None
    }
    # What correlates with accuracy by its making is no discovery, and must not make others cheaper.
    tested = [name for name in computed if not FIGURES[name].confounded]
    q = false_discovery([computed[name].p for name in tested])
    rates = dict(zip(tested, q.tolist(), strict=True))
    figures = []
    for name in correlations:
        correlation, key = computed.get(name), f"{CORRELATION}{name}"
        if correlation is None:
            figures.append(Figure(key, 0.0, None, None, 0))
            continue
        figures.append(
            Figure(key, correlation.rho, correlation.low, correlation.high, correlation.n)
        )
        figures.append(Figure(f"{key}-p", correlation.p, None, None, correlation.n))
        if name in rates:
            figures.append(Figure(f"{key}-q", rates[name], None, None, correlation.n))
    writes.set_figures(engine, run_id, figures, {})
