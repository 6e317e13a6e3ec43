"""`db.queries`, loaded at the first use of one: what paints before SQLAlchemy is there takes it."""

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

# Held by a thread that loads libraries: the modules of large ones import each other, and two
# threads that load parts of one can come to wait for each other.
loading = RLock()

if TYPE_CHECKING:
    from db import queries as queries
else:

    class _Later:
        def __getattr__(self, name: str) -> Any:
            with loading:
                return getattr(import_module("db.queries"), name)

    queries = _Later()
