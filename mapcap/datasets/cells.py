"""Single cells of tables from outside: numbers as spreadsheets and programs write them."""

import math
import re
from typing import Any, Final

from mapcap.datasets.records import shown
from mapcap.errors import UserError

MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "nil", "<na>"})
"""How programs write that a number is missing, in lower case."""
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")
_THOUSANDS: Final = re.compile(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_LONGEST: Final = 60


def number(cell: Any, where: str) -> float:
    """Return a finite number: `1.5`, `1e-3`, `85 %`, or `0,5` as Excel writes it in half of Europe.

    Raises:
        UserError: starting with `where`, for anything else; `1,234` may be two numbers.
    """
    if isinstance(cell, str):
        value = _of_text(cell.strip(), where)
    else:
        try:
            value = math.nan if isinstance(cell, bool) else float(cell)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
    if not math.isfinite(value):
        text = shown(str(cell)[:_LONGEST])
        raise UserError(f"{where}: expected a finite number, not {text!r}.")
    return value


def _of_text(text: str, where: str) -> float:
    if _THOUSANDS.fullmatch(text):
        raise UserError(
            f"{where}: {text[:_LONGEST]} may be {text.replace(',', '')[:_LONGEST]} or "
            f"{text.replace(',', '.')[:_LONGEST]}. Write it without a comma."
        )
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    share = text.endswith("%")
    try:
        # float() alone would take 1_000, which no program writes and a typing slip is.
        value = math.nan if "_" in text else float(text.removesuffix("%"))
    except ValueError:
        return math.nan
    return value / 100 if share else value


def is_number(cell: Any) -> bool:
    """Tell whether a cell holds a finite number, in any of the ways they are written."""
    try:
        number(cell, "")
    except UserError:
        return False
    return True


def is_missing(cell: Any) -> bool:
    """Tell whether a cell holds no value: empty, null, NaN, NA."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip().lower() in MISSING


def text_of(cell: Any) -> str:
    """Return a cell as text without blanks around it: null and NaN are empty, 3.0 is 3."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, bytes):  # as some writers of Parquet keep their texts
        cell = cell.decode("utf-8", "replace")
    return str(cell).strip()
