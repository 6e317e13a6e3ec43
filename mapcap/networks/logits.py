"""Fewer logits than tokens, where a network lets one ask for fewer."""

import inspect
from typing import Any

_NAME = "logits_to_keep"


def last_logits(language_model: Any) -> dict[str, Any]:
    """Return the argument by which a network's forward makes the last token's logits alone.

    Empty for a network that always makes all of them: the last ones are the same.
    """
    takes = _NAME in inspect.signature(language_model.forward).parameters
    return {_NAME: 1} if takes else {}
