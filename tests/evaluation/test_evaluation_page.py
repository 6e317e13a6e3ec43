"""The page of the figures, on wide and narrow terminals."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from db.records import ClassName, Figure
from mapcap.metrics.names import CORRELATED, FIGURES, LOCALISATION
from mapcap.printing.metrics import metrics_page, missing

DB = Path("photos.db")


def every_figure() -> list[Figure]:
    """Return all figures there are, each with a value of its own, far from round."""
    names = [name for name, found in FIGURES.items() if found.kind != "basis"]
    names += [f"{n}-{end}" for n in LOCALISATION for end in ("centre-prior", "uniform", "gain")]
    names += [f"summary-{n}-chance" for n in ("rank", "top1", "top5")]
    names += [f"rho-{name}{end}" for name in CORRELATED for end in ("", "-p", "-q")]
    return [
        Figure(name, (value := 0.0991 + i / 100), value - 0.3, value + 0.3, 123_456)
        for i, name in enumerate(names)
    ]


def a_class(number: int, accuracy: float | None) -> ClassName:
    return ClassName(
        number, number, "owl", "n1", 9, 9, 9, 5, accuracy, 0.1, 0.9, 0.5, None, None, 0, 3, None
    )


def drawn(figures: list[Figure], width: int) -> str:
    classes = [a_class(1, 0.2), a_class(2, 0.9), a_class(3, None)]
    values = {1: 0.25, 2: 0.75, 3: 0.5}
    per_class = {number: dict.fromkeys(CORRELATED, value) for number, value in values.items()}
    console = Console(width=width, file=StringIO(), record=True)
    console.print(metrics_page(figures, classes, per_class, DB, width), highlight=False)
    return console.export_text()


@pytest.mark.parametrize("width", [80, 109, 110, 200])
def test_no_number_is_cut_short(width: int) -> None:
    figures = every_figure()
    page = drawn(figures, width)
    assert "…" not in page
    assert max(map(len, page.splitlines())) <= width
    whole = set(re.findall(r"[+-]?\d+\.\d+", page))
    for figure in figures:
        if figure.name.startswith("rho-") and not figure.name.endswith(("-p", "-q")):
            assert f"{figure.value:+.2f}" in whole
        elif not (figure.name.startswith("rho-") or figure.name == "boxes-excluded"):
            assert f"{figure.value:.3f}" in whole, figure.name


def test_meanings_stand_where_there_is_room() -> None:
    figures = every_figure()
    assert "relevance inside the box" in drawn(figures, 120)
    assert "relevance inside the box" not in drawn(figures, 80)


def test_the_strongest_link_is_plotted() -> None:
    page = drawn(every_figure(), 100)
    lines = page.splitlines()
    axis = next(line for line in lines if "accuracy" in line and "0.2" in line and "0.9" in line)
    assert axis.strip().startswith("0.2")
    assert "Across 123456 classes" in " ".join(page.split())


def test_what_is_not_measured_is_said_with_its_command() -> None:
    said = missing([], DB)
    assert len(said) == 3
    assert "`mapcap evaluate photos.db --sample 200`" in said[0]
    assert "`mapcap evaluate photos.db --boxes FILE`" in said[1]
    assert "`mapcap evaluate photos.db --sample 200`" in said[2]
    assert missing(every_figure(), DB) == []


def test_maps_that_are_all_zero_are_said_to_be_and_not_called_unmeasured() -> None:
    some = Figure("maps-empty", 0.9, None, None, 12)
    assert len(missing([some], DB)) == 3
    (line,) = missing([Figure("maps-empty", 1.0, None, None, 12)], DB)
    assert "all 12 maps are zero everywhere" in line and "not measured" not in line


def test_a_link_that_is_not_defined_is_not_shown() -> None:
    figures = [
        Figure("map-entropy", 0.5, None, None, 9),
        Figure("rho-map-entropy", 0.0, None, None, 0),
    ]
    page = drawn(figures, 100)
    assert "rho" not in page
    assert "Across" not in page
    assert "map-entropy 0.500" in page


def test_a_small_p_is_not_shown_as_none() -> None:
    figures = [
        Figure("rho-energy", 0.9, 0.8, 0.95, 25),
        Figure("rho-energy-p", 1e-9, None, None, 25),
        Figure("rho-energy-q", 1e-8, None, None, 25),
    ]
    row = next(line for line in drawn(figures, 100).splitlines() if line.startswith("energy"))
    assert row.split() == ["energy", "+0.90", "+0.80", "to", "+0.95", "<.001", "<.001", "25"]
