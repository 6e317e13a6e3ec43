"""The names of the figures, and the sentence that answers the poster's question."""

from collections.abc import Sequence

import pytest

from db.records import Figure
from mapcap.metrics.answer import answer, unconfounded
from mapcap.metrics.names import CORRELATED, FIGURES, meaning


def links(*given: tuple[str, float, float, int]) -> list[Figure]:
    """Return what the store has of correlations: name, rho, q, classes."""
    found = []
    for name, rho, q, n in given:
        found.append(Figure(f"rho-{name}", rho, rho - 0.2, rho + 0.1, n))
        found.append(Figure(f"rho-{name}-q", q, None, None, n))
    return found


def test_links_are_named_with_their_intervals_the_strongest_first() -> None:
    figures = links(
        ("energy", 0.5, 0.03, 25),
        ("class-retrieval-rank", -0.6, 0.01, 25),
        ("map-entropy", 0.1, 0.7, 25),
    )
    assert answer(figures) == (
        "Across 25 classes, at a false discovery rate under 5%, accuracy correlates with "
        "class-retrieval-rank (rho -0.60, 95 % -0.80 to -0.50), energy (rho +0.50, 95 % +0.30 to "
        "+0.60); with 1 other metric no correlation shows (intervals of selected correlations: too "
        "far from 0)."
    )


def test_no_link_is_said_so_with_what_could_have_been_seen() -> None:
    said = answer(links(("energy", 0.3, 0.4, 26), ("map-entropy", -0.2, 0.6, 26)))
    assert said is not None
    assert "none of the 2 metrics" in said
    assert "energy (rho +0.30, 95 % +0.10 to +0.40), false discovery rate 0.40" in said
    assert "beyond about 0.39" in said  # 1.96 / sqrt(25)


def test_many_links_are_counted() -> None:
    names = ("energy", "pointing", "map-entropy", "class-retrieval-rank", "caption-cosine")
    said = answer(links(*((name, 0.5 + i / 100, 0.01, 25) for i, name in enumerate(names))))
    assert said is not None
    assert (
        "caption-cosine" in said
        and "and 2 more (intervals of selected" in said
        and "no correlation" not in said
    )


@pytest.mark.parametrize(
    "figures",
    [
        [],
        [Figure("energy", 0.5, None, None, 9)],
        [Figure("rho-energy", 0.0, None, None, 0)],  # the same in all classes
        links(("tokens-deletion-gain", 0.9, 0.001, 25)),  # correlated by construction
        links(("energy", 0.9, 0.001, 25))[:1],  # a file that lacks the rate
        links(("energy", 0.9, 0.001, 1)),
        [Figure("rho-energy", 0.9, None, None, 25), *links(("energy", 0.9, 0.001, 25))[1:]],
    ],
)
def test_nothing_to_answer_from(figures: Sequence[Figure]) -> None:
    assert answer(figures) is None
    assert unconfounded(figures) == []


@pytest.mark.parametrize(
    ("name", "unit", "better"),
    [
        ("energy", "share", "up"),
        ("energy-centre-prior", "share", ""),
        ("box-iou-gain", "intersection over union", "up"),
        ("tokens-deletion-gain", "probability", "up"),
        ("class-retrieval-rank-chance", "rank", ""),
        ("rho-energy", "rho", ""),
        ("rho-map-entropy-p", "p", ""),
        ("rho-map-entropy-q", "q", ""),
    ],
)
def test_every_stored_name_has_a_meaning(name: str, unit: str, better: str) -> None:
    found = meaning(name)
    assert found is not None
    assert (found.unit, found.better) == (unit, better)


@pytest.mark.parametrize("name", ["", "rho-", "rho-nothing", "nothing-p", "centred", "rho--q"])
def test_other_names_have_none(name: str) -> None:
    assert meaning(name) is None


def test_meanings_are_single_lines() -> None:
    assert all(found.line and "\n" not in found.line for found in FIGURES.values())
    assert set(CORRELATED) < set(FIGURES)
