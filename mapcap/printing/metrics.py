"""The page of the metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from db.records import ClassName, Figure
from mapcap.metrics.answer import answer, unconfounded
from mapcap.metrics.names import CORRELATED, CORRELATION, FIGURES, LOCALISATION, Kind
from mapcap.printing.scatter import scatter
from mapcap.text import clean

ByName = Mapping[str, Figure]
ADVISED_SAMPLE = 200
_PLOT_HEIGHT = 12
_WIDEST_PLOT = 72
_ROOM_FOR_WORDS = 110
"""Columns of a terminal below which the tables go without the meanings of the figures."""
_ONE_BY_ONE: dict[Kind, str] = {
    "maps": "Maps",
    "sanity": "Sanity: how far maps stay when they should change",
    "captions": "Captions",
    "summaries": "Summaries",
}


def metrics_page(
    figures: Sequence[Figure],
    classes: Sequence[ClassName],
    per_class: Mapping[int, Mapping[str, float]],
    db: Path,
    width: int,
) -> RenderableType:
    """Return all figures of a run with what they mean, for a terminal of `width` columns."""
    by_name = {figure.name: figure for figure in figures if figure.n}
    parts: list[RenderableType] = []
    if "pointing" in by_name:
        parts += [_head("Localisation: maps against boxes"), _localisation(by_name, width), Text()]
    if "blur-deletion" in by_name:
        parts += [
            _head("Faithfulness: does the prediction rest on it?"),
            _faithfulness(by_name, width),
            Text(),
        ]
    for kind, title in _ONE_BY_ONE.items():
        names = [name for name in FIGURES if FIGURES[name].kind == kind and name in by_name]
        if names:
            parts += [_head(title), _figure_table(by_name, names, width), Text()]
    if any(f"{CORRELATION}{name}" in by_name for name in CORRELATED):
        head = _head("What accuracy correlates with, across classes")
        parts += [head, _correlations(by_name), Text()]
        parts += _plot(figures, classes, per_class, width)
    parts += [Text(line, "yellow") for line in missing(figures, db)]
    line = answer(figures)
    if line is not None:
        parts.append(Text(line, "bold"))
    return Group(*parts)


def missing(figures: Sequence[Figure], db: Path) -> list[str]:
    """Return what has not been measured, and with which command it is."""
    measured = {figure.name for figure in figures if figure.n}
    name = clean(str(db))
    sample = f"`mapcap evaluate {name} --sample {ADVISED_SAMPLE}`"
    lines = []
    blank = next((f for f in figures if f.name == "maps-empty" and f.n and f.value >= 1), None)
    if blank is not None:
        return [
            f"maps, captions and summaries: nothing to measure, since all {blank.n:,} maps are "
            "zero everywhere; mapcap index --relevance value or occlusion may see something"
        ]
    if "map-entropy" not in measured:
        lines.append(
            "maps, captions and summaries: not measured; `mapcap index` with the same options as "
            f"before does, or {sample}"
        )
    left = next((each for each in figures if each.name == "boxes-excluded" and each.n), None)
    if "pointing" not in measured and left is not None:
        lines.append(
            f"localisation: {left.n:,} boxes given, {round(left.value * left.n):,} of them lie "
            "outside the view or cover over 60 % of it: it says nothing of these"
        )
    elif "pointing" not in measured:
        lines.append(
            "localisation: not measured without boxes; give them with "
            f"`mapcap evaluate {name} --boxes FILE`"
        )
    if "blur-deletion" not in measured:
        lines.append(f"faithfulness and sanity: not measured; {sample} does, beside the photos")
    return lines


def _head(title: str) -> Text:
    return Text(title, "bold underline")


def _table(*columns: str, width: int) -> Table:
    """Return an empty table for a terminal: numbers stand right and whole.

    The last column, `meaning`, may fold, and is left out where there is no room.
    """
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="bold")
    for place, column in enumerate(columns):
        if column != "meaning":
            table.add_column(column, justify="left" if place == 0 else "right", no_wrap=True)
        elif width >= _ROOM_FOR_WORDS:
            table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row, without its meaning if the table has no column for it."""
    table.add_row(*cells[: len(table.columns)])


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:.3f}"


def _chance(figure: Figure | None) -> str:
    """Return a p or q; a small one is not shown as none at all."""
    return "<.001" if figure is not None and figure.value < 0.001 else _value(figure)


def _interval(figure: Figure | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return "-"
    return f"{figure.low:.3f} to {figure.high:.3f}"


def _localisation(by_name: ByName, width: int) -> RenderableType:
    table = _table(
        "", "map", "95 %", "centre", "uniform", "gain", "95 %", "images", "meaning", width=width
    )
    for name in filter(by_name.__contains__, LOCALISATION):
        gain = by_name.get(f"{name}-gain")
        _add(
            table,
            name,
            _value(by_name.get(name)),
            _interval(by_name.get(name)),
            _value(by_name.get(f"{name}-centre-prior")),
            _value(by_name.get(f"{name}-uniform")),
            _value(gain),
            _interval(gain),
            f"{by_name[name].n:,}",
            FIGURES[name].line,
        )
    left = by_name.get("boxes-excluded")
    note = "centre: a Gaussian in the middle of the view, whatever the image"
    if left is not None and left.value:
        note += f"; {left.value:.1%} of {left.n:,} boxes left out: outside the view or over 60 %"
    return Group(table, Text(note, "dim"))


def _faithfulness(by_name: ByName, width: int) -> RenderableType:
    table = _table("", "map", "random", "gain", "95 %", "images", "meaning", width=width)
    for way in ("tokens", "blur"):
        for order in ("deletion", "insertion"):
            figure, gain = by_name.get(f"{way}-{order}"), by_name.get(f"{way}-{order}-gain")
            if figure is not None:
                _add(
                    table,
                    f"{way}-{order}",
                    _value(figure),
                    _value(by_name.get(f"{way}-random")),
                    _value(gain),
                    _interval(gain),
                    f"{figure.n:,}",
                    FIGURES[f"{way}-{order}"].line,
                )
    return table


def _figure_table(by_name: ByName, names: Sequence[str], width: int) -> RenderableType:
    chance = any(f"{name}-chance" in by_name for name in names)
    columns = ("", "value", "95 %", *(("chance",) if chance else ()), "n", "meaning")
    table = _table(*columns, width=width)
    for name in names:
        figure = by_name[name]
        level = (_value(by_name.get(f"{name}-chance")),) if chance else ()
        row = (_value(figure), _interval(figure), *level, f"{figure.n:,}", FIGURES[name].line)
        _add(table, name, *row)
    return table


def _correlations(by_name: ByName) -> RenderableType:
    table = _table("", "rho", "95 %", "p", "q", "classes", width=0)
    named = [name for name in CORRELATED if f"{CORRELATION}{name}" in by_name]
    confounded = False
    for name in sorted(named, key=lambda name: -abs(by_name[f"{CORRELATION}{name}"].value)):
        key = f"{CORRELATION}{name}"
        rho = by_name[key]
        mark = "*" if FIGURES[name].confounded else ""
        confounded = confounded or bool(mark)
        low, high = rho.low or 0.0, rho.high or 0.0
        table.add_row(
            f"{name}{mark}",
            f"{rho.value:+.2f}",
            f"{low:+.2f} to {high:+.2f}",
            _chance(by_name.get(f"{key}-p")),
            _chance(by_name.get(f"{key}-q")),
            f"{rho.n:,}",
        )
    note = "rho: Spearman's; 95 %: of the strongest ones too far from 0; q: false discovery rate"
    if confounded:
        note += "; *: from the same probabilities as accuracy, and correlated by construction"
    return Group(table, Text(note, "dim"))


def _plot(
    figures: Sequence[Figure],
    classes: Sequence[ClassName],
    per_class: Mapping[int, Mapping[str, float]],
    width: int,
) -> list[RenderableType]:
    """Return the plot of the strongest link, nothing if there is none."""
    names = unconfounded(figures)
    points = [
        (record.accuracy, per_class[record.id][names[0]])
        for record in classes
        if names and record.accuracy is not None and names[0] in per_class.get(record.id, {})
    ]
    if not points:
        return []
    accuracies, values = zip(*points, strict=True)
    drawn = scatter(
        accuracies,
        values,
        width=min(width, _WIDEST_PLOT),
        height=_PLOT_HEIGHT,
        x_label="accuracy",
        y_label=names[0],
    )
    return [Text("\n".join(drawn), no_wrap=True), Text()]
