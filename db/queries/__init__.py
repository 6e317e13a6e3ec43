"""Every read of the store. Each call is one short transaction and returns records.

They are loaded at the first use of one: what paints before SQLAlchemy is there imports this, too.
The modules with an underscore are no door, since some are called like a function of theirs.
"""

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

# Held by a thread that loads libraries: the modules of large ones import each other, and two
# threads that load parts of one can come to wait for each other. Taken before any of our own
# modules is loaded later than at the start: one that is being loaded asks for it here.
loading = RLock()

if TYPE_CHECKING:
    from db.queries._every import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        with loading:
            return getattr(import_module("db.queries._every"), name)
