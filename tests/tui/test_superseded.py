"""A newer question stops the older one, in SQLite too; leaving a screen stops all of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

from sqlalchemy import func, select, text
from textual.pilot import Pilot

from db.errors import Interrupted
from tui.app import MapCapApp
from tui.screens.base import BrowseScreen
from tui.screens.runs import RunsScreen

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


class Endless:
    """A question that SQLite never answers; says when it has begun and when it was stopped."""

    def __init__(self, app: MapCapApp) -> None:
        self._engine = app.opened.engine
        self.begun = Event()
        self.stopped = Event()

    def __call__(self) -> int:
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.create_function("begun", 0, self.begun.set)
                # Begins within the statement that does not end.
                endless = text(f"SELECT begun(), ({ENDLESS})")
                return int(connection.execute(endless).scalar_one())
        except Interrupted:
            self.stopped.set()
            raise


async def happens(event: Event) -> bool:
    return await asyncio.to_thread(event.wait, 20)


async def test_a_newer_question_stops_the_older(
    app_on: Callable[..., MapCapApp],
    settle: Callable[[Pilot[None]], Awaitable[None]],
    notes: list[str],
) -> None:
    app = app_on()
    async with app.run_test(notifications=True) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, BrowseScreen)
        older, other = Endless(app), Endless(app)
        answers: list[object] = []
        screen.ask("test", older, answers.append)
        screen.ask("another", other, answers.append)
        assert await happens(older.begun)
        assert await happens(other.begun)
        screen.ask("test", lambda: "newer", answers.append)
        assert await happens(older.stopped)
        assert not other.stopped.is_set()  # it belongs to another group
        screen.ask("another", lambda: "newest", answers.append)
        await settle(pilot)
        assert sorted(map(str, answers)) == ["newer", "newest"]
        assert not notes  # what is stopped is no trouble
        with app.opened.engine.connect() as connection:
            assert connection.execute(select(func.abs(-1))).scalar_one() == 1


async def test_leaving_a_screen_stops_its_questions(
    app_on: Callable[..., MapCapApp],
    press: Callable[..., Awaitable[None]],
    settle: Callable[[Pilot[None]], Awaitable[None]],
) -> None:
    app = app_on()
    async with app.run_test() as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r")
        screen = app.screen
        assert isinstance(screen, RunsScreen)
        question = Endless(app)
        screen.ask("test", question, print)
        assert await happens(question.begun)
        await pilot.press("escape")
        assert await happens(question.stopped)
