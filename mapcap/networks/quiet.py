"""Loading and using networks without the libraries' chatter on the console."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers.utils import logging as transformers_logging


@contextmanager
def quiet() -> Iterator[None]:
    """Silence progress bars and warnings while a network is built from a folder.

    open_clip warns that a model has random weights (they are filled in a moment later), and
    transformers draws a bar for what takes milliseconds. Not for downloads: their bars are wanted.
    """
    drawing: Any = transformers_logging  # some of its functions have no types
    root, bars = logging.getLogger(), drawing.is_progress_bar_enabled()
    level = root.level
    root.setLevel(logging.ERROR)
    drawing.disable_progress_bar()
    try:
        yield
    finally:
        root.setLevel(level)
        if bars:
            drawing.enable_progress_bar()


@contextmanager
def to_the_log() -> Iterator[None]:
    """Let transformers speak to the log alone: on the console it breaks into progress bars."""
    speaking: Any = transformers_logging
    logger = logging.getLogger("transformers")
    handlers, propagated = list(logger.handlers), logger.propagate
    speaking.disable_default_handler()
    speaking.enable_propagation()
    try:
        yield
    finally:
        logger.handlers[:] = handlers
        logger.propagate = propagated
