"""The cache of keys and values by the name that the installed transformers gives it.

It was `past_key_values` until 5.24 called it `cache`; 5.40 no longer takes the old name.
"""

import inspect
from typing import Any

_NAME, _OLD_NAME = "cache", "past_key_values"


def cache_argument(language_model: Any, cache: Any) -> dict[str, Any]:
    """Return the argument by which a network's forward takes its cache."""
    named = _NAME in inspect.signature(language_model.forward).parameters
    return {_NAME if named else _OLD_NAME: cache}


def cache_of(output: Any) -> Any:
    """Return the cache that a network's output holds."""
    return output[_NAME] if _NAME in output else output[_OLD_NAME]
