"""A finding's figures in words: what each is called and how it is written."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from db.records import Finding

Figures: TypeAlias = Mapping[str, Any]
Written: TypeAlias = tuple[str, str]


def number(value: Any, digits: int = 2) -> str:
    """Return a number with so many decimals; a dash for none, and anything else as it is."""
    if isinstance(value, float):
        return f"{value:,.{digits}f}".replace("-", "−")
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def share(value: Any) -> str:
    """Return a share of one in percent."""
    return f"{value:.0%}" if isinstance(value, int | float) else number(value)


def chance(value: Any) -> str:
    """Return a p or q, very small ones as that."""
    if isinstance(value, int | float) and value < 0.001:
        return "< 0.001"
    return number(value, 3)


def signed(value: Any) -> str:
    """Return a number with its sign."""
    return f"{value:+.2f}".replace("-", "−") if isinstance(value, int | float) else number(value)


_KNOWN: Final[dict[str, tuple[tuple[str, str, Callable[[Any], str]], ...]]] = {
    "confusion": (
        ("share_of_errors", "of its errors", share),
        ("mean_confidence", "mean confidence", share),
        ("taken_back", "the other way round", number),
        ("doubted_labels", "with doubted labels", number),
        ("names_cosine", "cosine of the names", number),
        ("q", "false discovery rate", chance),
    ),
    "word": (
        ("z", "z", signed),
        ("q", "false discovery rate", chance),
        ("b2t", "CLIP score, wrong less right", signed),
    ),
    "slice": (
        ("regions", "regions", number),
        ("p", "p", chance),
        ("q", "false discovery rate", chance),
    ),
    "label": (
        ("mean_confidence", "mean confidence", share),
        ("mean_share_of_neighbours", "of the nearest images agree", share),
    ),
    "background": (
        ("share_elsewhere", "in other classes", share),
        ("accuracy_with", "accuracy with it", share),
        ("accuracy_without", "without", share),
        ("accuracy_p", "p of that difference", chance),
        ("p", "p of the background", chance),
    ),
    "mark": (
        ("area", "of the view", share),
        ("relevance", "of the relevance", share),
        ("accuracy_with", "accuracy with it", share),
        ("accuracy_without", "without", share),
        ("accuracy_p", "p of that difference", chance),
        ("p", "p of the mark", chance),
    ),
}


def written(finding: Finding) -> list[Written]:
    """Return the key figures of a finding, each with what it is called."""
    figures = finding.figures if isinstance(finding.figures, dict) else {}
    return [
        (called, write(figures[key]) + _interval(figures, key))
        for key, called, write in _KNOWN.get(finding.kind, ())
        if figures.get(key) is not None
    ]


def _interval(figures: Figures, key: str) -> str:
    low, high = figures.get(f"{key}_low"), figures.get(f"{key}_high")
    if low is None or high is None:
        return ""
    return f" ({signed(low)} to {signed(high)})"


def quoted(finding: Finding) -> list[str]:
    """Return the captions among a finding's figures, the most frequent first."""
    figures = finding.figures if isinstance(finding.figures, dict) else {}
    pairs, names = figures.get("contrast_captions"), figures.get("names")
    if isinstance(pairs, list):
        return [str(pair[0]) for pair in pairs if isinstance(pair, list) and pair]
    return [str(name) for name in names] if isinstance(names, list) else []
