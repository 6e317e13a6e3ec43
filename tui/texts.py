"""Text as it may be shown: cleaned, cut and without markup; figures and bars."""

from collections.abc import Sequence
from typing import Final

from rich.style import Style
from rich.text import Text

from db.records import TokenRelevance
from mapcap.text import clean

# More than any widget shows; text from outside may have any length.
_LONGEST: Final = 400
_TINY: Final = 0.001
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"

OUTCOMES: Final = {"better": "green", "worse": "red", "not significant": "dim"}
"""Colours of what McNemar's test says of a change."""
REGION_COLOURS: Final = ("#00e5ff", "#ff4fd8", "#ffe14f", "#7dff5a", "#ff8c42")


def safe(text: str | None, style: str = "", *, longest: int = _LONGEST) -> Text:
    """Return text from outside without control characters and markup, cut to `longest`."""
    shown = clean((text or "")[:longest])
    if text is not None and len(text) > longest:
        shown += "…"
    return Text.assemble((shown, style))


def number(value: float | None, digits: int = 2) -> Text:
    """Return a number of so many digits, or a dash where there is none."""
    return Text.assemble(("-", "dim") if value is None else f"{value:.{digits}f}")


def share(value: float | None) -> str:
    """Return a share as a percentage, or a dash."""
    return "-" if value is None else f"{100 * value:.0f} %"


def probability(value: float) -> str:
    """Return a p or q value in few characters."""
    return f"{value:.0e}" if 0 < value < _TINY else f"{value:.3f}"


def bar(value: float, width: int, style: str = "cyan") -> Text:
    """Return a bar of `width` cells filled to `value` of one, in eighths of a cell."""
    eighths = round(min(max(value, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    # A span and not the text's own style, which anything appended would take over.
    return Text.assemble((drawn.ljust(width), f"{style} on #333333"))


def grade(value: float) -> str:
    """Return the colour of an accuracy: red, yellow or green."""
    return "red" if value < 1 / 3 else "yellow" if value < 2 / 3 else "green"


def accuracy_bar(value: float | None, low: float | None, high: float | None, width: int) -> Text:
    """Return an accuracy as a bar with its interval marked under its end."""
    if value is None:
        return Text.assemble(("not predicted yet"[:width].ljust(width), "dim"))
    drawn = bar(value, width, grade(value))
    if low is not None and high is not None and width > 1:
        first, last = (
            min(int(min(max(edge, 0.0), 1.0) * width), width - 1) for edge in (low, high)
        )
        free = max(first, len(drawn.plain.rstrip()))
        if free <= last:
            line = drawn.plain
            drawn.plain = line[:free] + "─" * (last + 1 - free) + line[last + 1 :]
            drawn.stylize("white", free, last + 1)
    return drawn


def tokens_line(tokens: Sequence[TokenRelevance]) -> Text:
    """Return the tokens of a class's text, the relevant ones on red."""
    line = Text()
    most = max((token.score for token in tokens), default=0.0) or 1.0
    for token in tokens[:20]:
        shown = safe(token.token, longest=20)
        shown.stylize(_heat(token.score / most))
        line.append_text(shown).append(" ")
    return line


def _heat(level: float) -> Style:
    level = min(max(level, 0.0), 1.0)
    red, rest = int(40 + 190 * level), int(40 + 20 * (1 - level))
    return Style(color="white", bgcolor=f"rgb({red},{rest},{rest})")
