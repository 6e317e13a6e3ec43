"""What a key changes is made anew, and nothing else."""

from collections.abc import Awaitable, Callable, Iterator
from time import sleep
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from textual.widgets import Static

from db import queries
from db.engine import open_write
from db.writes.regions import pack_embeddings
from tests.tui.conftest import Stored
from tests.tui.looking import Make, Press
from tui.app import MapCapApp
from tui.screens import neighbours
from tui.screens.neighbours import NeighboursScreen
from tui.widgets.class_card import Once
from tui.widgets.images_pane import ImagesPane
from tui.widgets.keys import Keys
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import ThumbCell, Thumbs

Settle = Callable[..., Awaitable[None]]


async def test_a_page_is_turned_in_the_cells_that_are_there(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "4")
        thumbs = app.screen.query_one("#thumbs", Thumbs)
        shown = list(thumbs.query(ThumbCell))
        assert len(shown) == 8
        assert _lines(shown)[-1].startswith("✓")
        # The best first: the same number of images, in another order.
        await press(pilot, "right", "r")
        assert list(thumbs.query(ThumbCell)) == shown
        assert [cell.thumb for cell in shown] == thumbs.thumbs
        assert _lines(shown)[0].startswith("✓") and _lines(shown)[-1].startswith("✗")
        assert thumbs.cursor == 0 and shown[0].has_class("-cursor")
        # Fewer: other cells.
        await press(pilot, "f", "f")
        assert app.screen.query_one(ImagesPane).filter == "right"
        [only] = thumbs.query(ThumbCell)
        assert only not in shown


def _lines(cells: list[ThumbCell]) -> list[str]:
    return [str(cell.query_one(Static).render()) for cell in cells]


async def test_keys_are_laid_out_again_only_where_others_are_offered(
    app_on: Make,
    stored: Stored,
    press: Press,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid_out: list[str] = []
    compose = Keys.compose

    def counted(self: Keys) -> Any:
        laid_out.append("again")
        return compose(self)

    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(Keys, "compose", counted)
        await press(pilot, "4")
        assert laid_out
        assert {"Overlay", "Quit"} <= _offered(app)
        laid_out.clear()
        await press(pilot, "right", "left", "r", "f", "f")
        app.screen.refresh_bindings()
        await settle(pilot)
        assert laid_out == []
        await press(pilot, "3")
        assert laid_out
        assert "Quit" in _offered(app) and "Overlay" not in _offered(app)


def _offered(app: MapCapApp) -> set[str]:
    return {key.description for key in app.screen.query_one(Keys).query("FooterKey")}  # type: ignore[attr-defined]


def test_a_card_is_rendered_once_for_a_width() -> None:
    rendered: list[int] = []

    class Counted(Table):
        def __rich_console__(self, console: Any, options: Any) -> Any:
            rendered.append(options.max_width)
            return super().__rich_console__(console, options)

    table = Counted("a column")
    table.add_row("a cell")
    plain = Console(width=40, record=True)
    once = Once(table)
    with plain.capture() as wanted:
        plain.print(table)
    rendered.clear()
    for width in (40, 40, 20, 20):
        with plain.capture() as found:
            plain.print(once, width=width)
        if width == 40:
            assert found.get() == wanted.get()
    assert rendered == [40, 20]


async def test_regions_alike_in_the_own_block_come_before_all_are_compared(
    app_on: Make,
    stored: Stored,
    press: Press,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first: list[tuple[int, str]] = []
    # So few regions have no blocks otherwise.
    monkeypatch.setattr("db.writes.regions.FEWEST", 0)
    monkeypatch.setattr("db.writes.regions.BLOCK", 16)
    engine = open_write(stored.path)
    pack_embeddings(engine, stored.run_id, "pooled")
    engine.dispose()
    app = app_on()

    def every(*arguments: Any, **options: Any) -> Iterator[Any]:
        """Do not give the last block before there is something on the screen."""
        *before, last = queries.region_codes(*arguments, **options)
        assert len(before) > 2
        yield from before
        assert isinstance(app.screen, NeighboursScreen)
        rows, title = app.screen.query_one(Rows), app.screen.query_one("#title", Static)
        for _ in range(500):
            if rows.records:
                break
            sleep(0.02)
        first.append((len(rows.records), str(title.render())))
        yield last

    class Asked:
        region_codes = staticmethod(every)

        def __getattr__(self, name: str) -> Any:
            return getattr(queries, name)

    monkeypatch.setattr(neighbours, "queries", Asked())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "4", "enter", "enter")
        assert isinstance(app.screen, NeighboursScreen)
        [(rows, title)] = first
        assert rows > 0 and "searching" in title
        assert "regions searched" in str(app.screen.query_one("#title", Static).render())


async def test_garbage_is_collected_when_nobody_waits(
    app_on: Make, press: Press, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, collected = app_on(), list[bool]()
    monkeypatch.setattr("tui.app._IDLE_SECONDS", 1000.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        now = [2000.0]
        monkeypatch.setattr("tui.app.monotonic", lambda: now[0])
        monkeypatch.setattr("tui.app.gc.get_count", lambda: (0, 1, 0))
        monkeypatch.setattr("tui.app.gc.collect", lambda: collected.append(True))
        await press(pilot, "down")
        for now[0], times in ((2900.0, 0), (3001.0, 1)):
            app._tidy()
            assert len(collected) == times
        monkeypatch.setattr("tui.app.gc.get_count", lambda: (700, 0, 0))
        app._tidy()
        assert len(collected) == 1
        monkeypatch.undo()
