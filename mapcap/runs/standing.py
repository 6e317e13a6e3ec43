"""How a run stands: what the store says, compared with whether its process is still there."""

import os
import socket

from db.records import Run

PROCESS = "process"
"""The key of `Run.versions` under which a run says which process works, or worked, on it."""


def standing(run: Run) -> str:
    """Return a run's status; `stopped` where it says that it runs and its process is gone.

    Only on the run's own host is it known that a process is gone.
    """
    if run.status != "running" or run.host != socket.gethostname():
        return run.status
    return "running" if _is_there(run.versions.get(PROCESS)) else "stopped"


def _is_there(process: object) -> bool:
    """Tell whether a process is there; of a run that names none it is believed."""
    if not isinstance(process, str) or not process.isdecimal() or os.name != "posix":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's; no such number
        return True
    return True
