"""A query is stopped from another thread, within SQLite, and hurts nobody else."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from db import queries
from db.errors import Interrupted
from db.interrupts import Interrupt, current

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def endless(engine: Engine, begun: Event, under: Interrupt) -> None:
    """Run a query that never ends by itself."""
    with under, engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.create_function("begun", 0, begun.set)
        connection.execute(select(func.begun()))
        connection.execute(text(ENDLESS))


@pytest.fixture
def in_thread() -> Any:
    with ThreadPoolExecutor() as pool:
        yield pool.submit


def test_a_running_query_is_stopped(store: Any, in_thread: Callable[..., Any]) -> None:
    begun, interrupt = Event(), Interrupt()
    running = in_thread(endless, store.engine, begun, interrupt)
    assert begun.wait(20)
    while not running.done():  # `begun` says that the query before it has run
        interrupt.stop()
    with pytest.raises(Interrupted):
        running.result()
    # The connection is whole, and for the next one to use.
    assert len(queries.classes(store.engine, store.run_id)) == 3


def test_a_connection_that_was_closed_meanwhile_is_passed_over() -> None:
    interrupt = Interrupt()
    closed, open_one = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    for connection in (closed, open_one):
        interrupt.add(connection)
    closed.close()
    interrupt.stop()
    with pytest.raises(Interrupted):
        interrupt.check()
    assert open_one.execute("SELECT 1").fetchone() == (1,)
    open_one.close()


def test_what_is_stopped_begins_nothing_more(store: Any) -> None:
    interrupt = Interrupt()
    with interrupt:
        assert current() is interrupt
        with store.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            interrupt.stop()
            with pytest.raises(Interrupted):
                connection.execute(text("SELECT 1"))
        with pytest.raises(Interrupted):
            queries.classes(store.engine, store.run_id)
    assert current() is None
    assert queries.classes(store.engine, store.run_id)


def test_it_stops_nobody_who_has_the_connection_after_it(store: Any) -> None:
    interrupt = Interrupt()
    with interrupt:
        queries.classes(store.engine, store.run_id)

    def stop() -> int:
        interrupt.stop()
        return 0

    with store.engine.connect() as connection:
        raw = connection.connection.driver_connection
        raw.create_function("stop", 0, stop)
        # Stops in the middle of the other's query, on the one connection of the pool.
        query = "WITH RECURSIVE n(i) AS (SELECT stop() UNION ALL SELECT i + 1 FROM n LIMIT 5000) "
        assert connection.execute(text(query + "SELECT count(*) FROM n")).scalar_one() == 5000
