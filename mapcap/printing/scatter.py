"""A scatter plot in plain text."""

from collections import Counter
from collections.abc import Sequence
from math import isfinite

_POINT = "•"
_MANY = "#"


def scatter(
    x: Sequence[float],
    y: Sequence[float],
    *,
    width: int,
    height: int,
    x_label: str,
    y_label: str,
) -> list[str]:
    """Draw points as lines of at most `width` characters, `height` of them for the points.

    A place that several points share shows their number, `#` for ten and more. The ends of both
    axes stand at their sides.

    Raises:
        ValueError: there are no points, or not as many x as y.
    """
    if not x or len(x) != len(y):
        raise ValueError(f"{len(x)} x and {len(y)} y make no points")
    ends = {0: f"{max(y):.3g}", height - 1: f"{min(y):.3g}"}
    margin = max(map(len, ends.values()))
    columns = max(2, width - margin - 2)
    down = [height - 1 - place for place in _places(y, height)]
    points = Counter(zip(down, _places(x, columns), strict=True))
    drawn = [
        f"{ends.get(row, ''):>{margin}} │"
        + "".join(_mark(points[row, column]) for column in range(columns)).rstrip()
        for row in range(height)
    ]
    low, high = f"{min(x):.3g}", f"{max(x):.3g}"
    between = max(0, columns - len(low) - len(high))
    axis = f"{low}{x_label[: max(0, between - 2)]:^{between}}{high}"
    indent = " " * (margin + 2)
    lines = [f"{indent}{y_label}", *drawn, f"{' ' * margin} └{'─' * columns}", f"{indent}{axis}"]
    return [line[:width] for line in lines]


def _mark(count: int) -> str:
    return " " if not count else _POINT if count == 1 else str(count) if count < 10 else _MANY


def _places(values: Sequence[float], count: int) -> list[int]:
    """Return for each value its place among `count`; the middle one where they cannot be placed."""
    low, high = min(values), max(values)
    if low == high or not isfinite(high - low):
        return [count // 2] * len(values)
    return [round((value - low) / (high - low) * (count - 1)) for value in values]
