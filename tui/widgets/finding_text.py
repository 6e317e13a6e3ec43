"""A finding in words: its kind as a tag, and the lines that the audit printed of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from db.records import ClassAudit, Finding
from tui.texts import safe

TAG_WIDTH: Final = 12
_LONGEST_LINE: Final = 2000
_TINY: Final = 0.001
_NUMBERS: Final = r"(?<![\w.])[\d.]*\d(?:e-\d+)?%?"


def tag(plain: str, colour: str) -> Text:
    """Return what a kind of finding is called, dark on its `#rrggbb`, `TAG_WIDTH` cells wide."""
    shown = safe(plain, longest=TAG_WIDTH - 2).plain
    return Text.assemble((f" {shown} ", f"black on {colour}"))


def line_of(audit: ClassAudit, name: str) -> Text:
    """Return the audit's line without the name of the class, its numbers standing out."""
    text = safe(audit.line.removeprefix(f"{name}: "), longest=_LONGEST_LINE)
    text.highlight_regex(_NUMBERS, "bold")
    return text


def finding_lines(finding: Finding) -> list[Text]:
    """Return the printed lines of a finding, its numbers standing out."""
    lines = [safe(line) for line in finding.details]
    for line in lines:
        line.highlight_regex(_NUMBERS, "bold")
    if not finding.regions and not finding.images and "class_id" in finding.figures:
        lines.append(Text("enter opens that class", style="dim"))
    return lines


def chance(value: float | None, name: str = "p") -> str:
    """Return a p or q as text, empty where there is none."""
    if value is None:
        return ""
    return f"{name} {value:.1e}" if 0 < value < _TINY else f"{name} {value:.3f}"


@dataclass(frozen=True)
class Figures:
    """Figures of an audit, each None unless it is there and a number: the file is anybody's."""

    stored: Mapping[str, Any]

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        value: Any = self.stored.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and math.isfinite(value) else None

    def numbers(self, *keys: str) -> list[float] | None:
        """Return numbers, None if one of them is missing."""
        values = [self.number(key) for key in keys]
        whole = [value for value in values if value is not None]
        return whole if len(whole) == len(values) else None
