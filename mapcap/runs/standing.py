"""How a run stands: what the store says, compared with whether its process is still there."""

import os
import socket

from db.records import Run, RunCounts, RunTotals
from mapcap.text import counted

PROCESS = "process"
"""The key of `Run.versions` under which a run says which process works, or worked, on it."""


def standing(run: Run) -> str:
    """Return a run's status; `stopped` where it says that it runs and its process is gone.

    Only on the run's own host is it known that a process is gone.
    """
    process = run.versions.get(PROCESS)
    if run.status != "running" or not _is_number(process):
        return run.status
    return "stopped" if is_gone(run.host, int(str(process))) else "running"


def classes_of(run: Run, counts: RunCounts | RunTotals) -> str:
    """Return how many classes a run has; in a finished one those without images are told apart."""
    left = counts.without_images if run.status == "done" else 0
    if not left or left == counts.classes:
        return f"{counts.classes:,} classes"
    return f"{counted(counts.classes - left, 'class')} and {left:,} without images"


def _is_number(process: object) -> bool:
    # Of many digits Python makes no number.
    return isinstance(process, str) and process.isdecimal() and len(process) < 20


def is_gone(host: str, process: int) -> bool:
    """Tell whether a process is known to be gone: only of this host's it can be."""
    return host == socket.gethostname() and os.name == "posix" and not _is_there(process)


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's; no such number
        return True
    return True
