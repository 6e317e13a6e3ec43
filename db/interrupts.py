"""Stopping the queries of one thread from another."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from contextvars import ContextVar, Token
from threading import Lock
from typing import Self

from db.errors import Interrupted

_current: ContextVar[Interrupt | None] = ContextVar("interrupt", default=None)


class Interrupt:
    """Queries made inside `with interrupt:` end with Interrupted once `stop` is called."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stopped = False
        self._connections: list[sqlite3.Connection] = []
        self._before: Token[Interrupt | None] | None = None

    def __enter__(self) -> Self:
        self._before = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _current.reset(self._before)

    def stop(self) -> None:
        """Stop what runs, and let nothing more begin; may be called from any thread."""
        with self._lock:
            self._stopped = True
            for connection in self._connections:
                # The pool closes one whose rollback was interrupted, too: nothing runs there.
                with suppress(sqlite3.ProgrammingError):
                    connection.interrupt()

    def add(self, connection: sqlite3.Connection) -> None:
        """Count a connection among those to stop."""
        with self._lock:
            self._connections.append(connection)

    def remove(self, connection: sqlite3.Connection) -> None:
        """Count it no longer: the next to use it is somebody else."""
        # Under the lock, so that `stop` cannot hit that other's query.
        with self._lock:
            self._connections.remove(connection)

    def check(self) -> None:
        """Raise Interrupted if stopped: what is between two statements cannot be interrupted."""
        if self._stopped:
            raise Interrupted("the answer is no longer wanted")


def current() -> Interrupt | None:
    """Return what may stop the queries made here, if anything."""
    return _current.get()
