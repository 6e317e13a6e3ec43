"""`db.queries`, loaded at the first use of one: what paints before SQLAlchemy is there takes it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from db import queries as queries
else:

    class _Later:
        def __getattr__(self, name: str) -> Any:
            return getattr(import_module("db.queries"), name)

    queries = _Later()
