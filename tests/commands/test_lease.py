"""One job a file: the second is told of the first, and takes over once that is dead."""

import os
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import queries, writes
from db.engine import finish, open_read, open_write
from db.queries.lease import lease
from db.records import Lease
from mapcap.errors import UserError
from mapcap.indexing import lease as leases
from mapcap.indexing.lease import LeaseLost, check_free, holding
from tests.calling import Result, mapcap_process
from tests.commands.test_index_command import wait_for

Call = Callable[..., Result]


def lease_of(host: str, process: int, age: timedelta = timedelta()) -> Lease:
    now = datetime.now(UTC) - age
    return Lease(host, process, started=now, renewed=now)


def test_a_second_job_is_refused_until_the_first_is_gone(
    photos: Path, tmp_path: Path, call: Call
) -> None:
    db = tmp_path / "one.db"
    with mapcap_process("index", photos, "--db", db, "--batch-size", "1") as first:
        assert wait_for(db, "images", lambda: first.poll() is None)
        first.send_signal(signal.SIGSTOP)
        held = lease(open_read(db))
        second = call("index", photos, "--db", db)
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert held is not None and held.process == first.pid
    assert second.code == 2
    since = f"{held.started:%Y-%m-%d %H:%M:%S} UTC"
    by = f"process {first.pid} on {socket.gethostname()}, since {since}"
    assert f"{db}: another job fills this file: {by}" in second.err
    engine = open_write(db)
    assert lease(engine) == held, "a killed job gives nothing back"
    with holding(engine, db):
        taken = lease(engine)
        assert taken is not None and taken.process == os.getpid()
    assert lease(engine) is None
    finish(engine)


@pytest.mark.parametrize(
    ("host", "process", "minutes", "free"),
    [
        ("elsewhere\x1b[31m", 1, 0, False),
        ("elsewhere", 1, 60, True),
        (socket.gethostname(), os.getppid(), 0, False),
        (socket.gethostname(), os.getpid(), 0, True),
        (socket.gethostname(), 2**31 - 1, 0, True),
    ],
    ids=["elsewhere", "elsewhere and silent", "lives", "itself", "gone"],  # the same in all workers
)
def test_which_lease_counts_as_dead(
    tmp_path: Path, host: str, process: int, minutes: int, free: bool
) -> None:
    held = lease_of(host, process, timedelta(minutes=minutes))
    db = tmp_path / "held.db"
    check_free(db)  # there is no file yet
    engine = open_write(db)
    assert writes.take_lease(engine, held, lambda _: False) is None
    if free:
        check_free(db)
        with holding(engine, db):
            pass
        assert lease(engine) is None
    else:
        with pytest.raises(UserError, match="another job fills this file: process") as refused:
            check_free(db)
        with pytest.raises(UserError) as again, holding(engine, db):
            pass
        assert str(again.value) == str(refused.value) and "\x1b" not in str(refused.value)
        assert lease(engine) == held
    finish(engine)


def test_a_job_renews_its_lease_and_notices_that_it_lost_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_RENEWED_EVERY", 0.001)
    engine = open_write(tmp_path / "lost.db")
    other = lease_of("elsewhere", 1)
    with holding(engine, tmp_path / "lost.db") as hold:
        hold.check()
        assert writes.take_lease(engine, other, lambda _: True) is None
        assert hold.lost.wait(30)
        with pytest.raises(LeaseLost, match="has taken this file over"):
            hold.check()
    assert lease(engine) == other
    finish(engine)


def test_a_job_that_lost_its_lease_leaves_the_run_alone(
    photos: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(hold: leases.Hold) -> None:
        hold.lost.set()
        check(hold)

    check = leases.Hold.check
    monkeypatch.setattr(leases.Hold, "check", lost)
    db = tmp_path / "lost.db"
    result = call("index", photos, "--db", db)
    assert result.code == 2 and "has taken this file over" in result.err
    engine = open_read(db)
    assert queries.latest_run(engine).status == "running"
    engine.dispose()
