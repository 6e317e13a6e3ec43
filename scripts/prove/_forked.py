"""`mapcap index` in children of a process that has torch and the networks loaded already."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mapcap import cli
from scripts.prove._calling import quiet_environment


def warm(*, remembering: bool = False) -> None:
    """Load torch, the tiny networks and what the audit needs once, for all children.

    `remembering` lets children take from a run before them what the networks made of a batch.
    """
    import scipy.stats  # noqa: F401

    from mapcap.indexing import filling
    from mapcap.networks.loading import load_networks

    load, kept = load_networks, dict[Any, Any]()

    def load_once(config: Any, *where: Any) -> Any:
        if where not in kept:
            kept[where] = load(config, *where)
        return kept[where]

    filling.load_networks = load_once  # type: ignore[assignment,attr-defined]
    import torch

    from mapcap.config import IndexConfig

    networks = load_once(IndexConfig(photos="."), torch.device("cpu"), None)
    if remembering:
        from scripts.prove._remembered import remember

        remember(networks)


@contextmanager
def warm_folder(*, remembering: bool = False) -> Iterator[Path]:
    """Yield a folder to work in, with all loaded and the environment quiet; it is gone after."""
    quiet_environment()
    warm(remembering=remembering)
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def start(
    arguments: list[str],
    said: Path,
    first: Callable[[], None] = lambda: None,
    last: Callable[[], None] = lambda: None,
) -> int:
    """Run a command in a child, what it prints in a file; return its process.

    `first` is done before it, and `last` after it if it went well.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        number = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.dup2(number, 1)
        os.dup2(number, 2)
        first()
        sys.argv = ["mapcap", *arguments]
        code = _end_of(cli.main)
        if code == 0:
            last()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_of(run: Callable[[], None]) -> int:
    """Return the exit code: a command ends by raising it, well or not."""
    try:
        run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def wait(child: int) -> int:
    """Return a child's exit code; negative for the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
