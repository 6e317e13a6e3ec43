"""How figures are written on the page."""

from typing import Any


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
