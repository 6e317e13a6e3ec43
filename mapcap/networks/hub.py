"""What the model hub has of a name, asked before anything is fetched."""

import time
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Final

from huggingface_hub import constants, model_info, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from mapcap.networks.failures import describe

_SECONDS = 10.0
"""How long the hub may take to answer."""
_PAUSE: Final = 1.0
"""Seconds before the one other try, where the hub was not reached."""
_OFFLINE: Final = "HF_HUB_OFFLINE is set"


class Unreachable(str):
    """Why a repository cannot be had, in words."""

    hub_is_silent: bool = False
    """Whether it is the hub that was not reached, and no fault of the name."""


def is_cached(repository: str, files: Sequence[str]) -> bool:
    """Tell whether this machine has one of these files of a repository."""
    try:
        return any(isinstance(try_to_load_from_cache(repository, file), str) for file in files)
    except HFValidationError:
        return False


def unreachable(repository: str, files: Sequence[str]) -> Unreachable | None:
    """Return why a repository cannot be had, or None: one of `files` is cached, or the hub has it.

    Tries twice at most: the clients that fetch try again for half a minute where there is no
    network. With HF_HUB_OFFLINE the hub is not asked.
    """
    if is_cached(repository, files):
        return None
    if constants.HF_HUB_OFFLINE:
        return _silent(_OFFLINE)
    for last in (False, True):
        try:
            model_info(repository, timeout=_SECONDS)
            return None
        except (HfHubHTTPError, HFValidationError) as error:
            return Unreachable(describe(error))
        except Exception as error:  # the hub's client fails in many ways
            if last:
                return _silent(describe(error))
            time.sleep(_PAUSE)
    return None


def size_of(repository: str, patterns: Sequence[str]) -> float | None:
    """Return how many megabytes the files of these patterns have, None where the hub is silent."""
    if constants.HF_HUB_OFFLINE:
        return None
    try:
        files = model_info(repository, timeout=_SECONDS, files_metadata=True).siblings or []
    except Exception:  # the hub's client fails in many ways; the size is only told
        return None
    wanted = [
        file.size or 0
        for file in files
        if any(fnmatch(file.rfilename, pattern) for pattern in patterns)
    ]
    return sum(wanted) / 1e6 if wanted else None


def _silent(reason: str) -> Unreachable:
    answer = Unreachable(reason)
    answer.hub_is_silent = True
    return answer
