"""The plot in plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapcap.printing.scatter import scatter

NUMBERS = st.floats(-1e6, 1e6)


def test_by_hand() -> None:
    drawn = scatter(
        [0, 0, 1, 0.5], [0, 0, 2, 1], width=12, height=3, x_label="right", y_label="energy"
    )
    assert drawn == [
        "   energy",
        "2 │        •",
        "  │    •",
        "0 │2",
        "  └─────────",
        "   0 right 1",
    ]


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30),
    st.integers(20, 100),
    st.integers(1, 12),
)
def test_fits_and_loses_no_point(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    x, y = zip(*points, strict=True)
    drawn = scatter(x, y, width=width, height=height, x_label="x", y_label="y")
    assert len(drawn) == height + 3
    assert all(len(line) <= width for line in drawn)
    marks = "".join(line.partition("│")[2] for line in drawn[1 : height + 1]).replace(" ", "")
    counts = [1 if mark == "•" else 10 if mark == "#" else int(mark) for mark in marks]
    assert sum(counts) == len(points) or ("#" in marks and sum(counts) < len(points))


def test_no_points_are_refused() -> None:
    with pytest.raises(ValueError, match="0 x and 0 y"):
        scatter([], [], width=20, height=3, x_label="x", y_label="y")
