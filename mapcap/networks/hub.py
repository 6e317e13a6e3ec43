"""What the model hub has of a name, asked before anything is fetched."""

from collections.abc import Sequence

from huggingface_hub import model_info, try_to_load_from_cache

from mapcap.networks.failures import describe

_SECONDS = 10.0
"""How long the hub may take to answer."""


def unreachable(repository: str, files: Sequence[str]) -> str | None:
    """Return why a repository cannot be had, or None: one of `files` is cached, or the hub has it.

    Asks once: the clients that fetch try again for half a minute where there is no network.
    """
    try:
        if any(isinstance(try_to_load_from_cache(repository, file), str) for file in files):
            return None
        model_info(repository, timeout=_SECONDS)
    except Exception as error:  # the hub's client fails in many ways
        return describe(error)
    return None
