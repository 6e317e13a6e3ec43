"""Values as their columns hold them: JSON as text, moments as seconds."""

import json
from datetime import UTC, datetime
from typing import Any

from db.errors import StoreError


def json_of(text: Any) -> Any:
    """Return the value of a JSON text; StoreError on text that is not JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError("a stored JSON value is damaged: run the job again") from error


def moment_of(seconds: Any) -> datetime | None:
    """Return the moment so many seconds after 1970, in UTC; StoreError if there is none such."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise StoreError("a stored date is damaged: run the job again") from error
