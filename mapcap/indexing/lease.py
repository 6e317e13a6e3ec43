"""One job a file: a second one is refused while the first lives, and takes over from a dead one."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from sqlalchemy import Engine

from db import writes
from db.errors import StoreError
from db.queries.lease import lease
from db.records import Lease
from mapcap.errors import UserError
from mapcap.indexing.peeking import peek
from mapcap.runs.standing import is_gone
from mapcap.text import clean

_RENEWED_EVERY: Final = 30.0
"""Seconds between two signs of life."""
_GIVEN_UP: Final = timedelta(minutes=5)
"""A lease that was not renewed for this long is free: its job may have died on another host."""

_log = logging.getLogger("mapcap.index")


class LeaseLost(UserError):
    """Another job has taken the file over from this one, which gave no sign of life for long."""


def check_free(db: Path) -> None:
    """Refuse a file that another job fills, before anything is loaded.

    Raises:
        UserError: naming that job, and what to do.
    """
    with peek(db) as engine:
        held = None if engine is None else lease(engine)
    if held is not None and not _is_dead(held):
        raise _refused(db, held)


class Hold:
    """A lease that is held: asked from time to time, it ends a job that lost it."""

    def __init__(self, db: Path, own_lease: Lease) -> None:
        self.own_lease = own_lease
        self.lost = Event()
        self._db = db

    def check(self) -> None:
        """Go on, or raise LeaseLost."""
        if self.lost.is_set():
            raise LeaseLost(
                f"{self._db}: another job has taken this file over, since this one gave no sign "
                "of life for minutes. What was stored is kept; look at it with mapcap status."
            )


@contextmanager
def holding(engine: Engine, db: Path) -> Iterator[Hold]:
    """Hold the lease of a file that is open for writing; a thread renews it.

    Raises:
        UserError: if another job holds it, naming that job.
    """
    now = datetime.now(UTC)
    own_lease = Lease(socket.gethostname(), os.getpid(), started=now, renewed=now)
    other = writes.take_lease(engine, own_lease, _is_dead)
    if other is not None:
        raise _refused(db, other)
    hold, ended = Hold(db, own_lease), Event()
    renewing = Thread(target=_renew, args=(engine, hold, ended), name="lease", daemon=True)
    renewing.start()
    try:
        yield hold
    finally:
        ended.set()
        renewing.join()
        writes.release_lease(engine, own_lease)


def _renew(engine: Engine, hold: Hold, ended: Event) -> None:
    while not ended.wait(_RENEWED_EVERY):
        try:
            if not writes.renew_lease(engine, hold.own_lease):
                hold.lost.set()
                return
        except StoreError as error:  # a full disk, say: the job itself will meet it, or it passes
            _log.warning("the lease could not be renewed: %s", error)


def _is_dead(held: Lease) -> bool:
    """Tell whether the job with a lease is gone: its process, or all signs of its life.

    A process of this very number is this one: the other had it before, in a container say.
    """
    if held.host == socket.gethostname() and held.process == os.getpid():
        return True
    return is_gone(held.host, held.process) or datetime.now(UTC) - held.renewed > _GIVEN_UP


def _refused(db: Path, held: Lease) -> UserError:
    minutes = _GIVEN_UP // timedelta(minutes=1)
    return UserError(
        f"{db}: another job fills this file: process {held.process} on {clean(held.host)}, since "
        f"{held.started:%Y-%m-%d %H:%M:%S} UTC. Wait until it ends, or stop it; the same command "
        f"then goes on. If it died there, that is known {minutes} minutes after its last sign of "
        "life."
    )
