"""The first screen: sorting, filtering, the card, growing files."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from sqlalchemy import Engine
from textual.widgets import Input, Static

from db import writes
from db.rows import NewClass, NewImage, NewPrediction, RunSpec
from tests.tui.looking import Make, Press, Settle
from tui.app import MapCapApp, make_app
from tui.screens.classes import ClassesScreen, parsed
from tui.screens.one_class import ClassScreen
from tui.widgets.record_table import Rows


def names(app: MapCapApp) -> list[str]:
    return [record.name for record in app.screen.query_one("#classes", Rows).records]


def shown(widget: Static) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(widget.content)
    return capture.get()


def test_a_filter_is_words_and_a_limit() -> None:
    assert parsed("cat <30") == ("cat", 0.3)
    assert parsed("<7.5%") == ("", 0.075)
    assert parsed("a < b") == ("a < b", None)


async def test_worst_first_and_any_column_sorts(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert names(app)[0] == "tabby"
        assert names(app)[-1] == "lion"
        await press(pilot, "r")
        assert names(app)[0] == "lion"
        await press(pilot, "left", "left")
        assert names(app) == sorted(names(app), key=str.lower)
        await pilot.click("#classes", offset=(3, 0))
        await settle(pilot)
        assert names(app) == sorted(names(app), key=str.lower, reverse=True)


async def test_filter_as_you_type(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", "a", "b")
        assert names(app) == ["tabby"]
        await press(pilot, "escape")
        assert len(names(app)) == 6
        await press(pilot, "b")
        assert app.screen.query_one(Input).value == "<50"
        await press(pilot, "6", "0")  # in place of the 50 that was offered
        assert app.screen.query_one(Input).value == "<60"
        assert names(app) == ["tabby", "crane"]
        await press(pilot, "escape", "b")
        await press(pilot, "enter")
        assert names(app) == ["tabby"]  # crane has just 50 %
        assert app.focused is app.screen.query_one("#classes")


async def test_the_card_says_why(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        card = shown(app.screen.query_one("#card", Static))
        assert "1 of 8 correct" in card
        assert "Egyptian cat" in card
        assert "sofa" in card
        await press(pilot, "down")
        assert "crane" in shown(app.screen.query_one("#card", Static))


async def test_one_pane_at_a_time_where_it_is_narrow(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        table, side = app.screen.query_one("#classes"), app.screen.query_one("#side")
        assert (table.display, side.display) == (True, False)
        await press(pilot, "p")
        assert (table.display, side.display) == (False, True)
        await press(pilot, "escape", "down")
        await pilot.resize_terminal(120, 40)
        await settle(pilot)
        assert side.display
        assert app.screen.query_one("#classes", Rows).cursor == 1


async def test_starts_at_a_class(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="lion")
    async with app.run_test() as pilot:
        await settle(pilot)
        assert isinstance(app.screen, ClassScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, ClassesScreen)


async def test_a_growing_file_refreshes_without_moving_the_cursor(
    growing: Engine,
    tmp_path: Path,
    run_spec: Callable[[str], RunSpec],
    settle: Settle,
    press: Press,
) -> None:
    run_id = writes.start_run(growing, run_spec("grows"))
    ids = writes.add_classes(growing, run_id, [NewClass(i, f"c{i}", f"c{i}") for i in range(5)])
    app = make_app(tmp_path / "growing.db", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        rows = app.screen.query_one("#classes", Rows)
        await press(pilot, "down", "down")
        assert rows.record is not None and rows.record.name == "c2"
        files = [NewImage(f"{i}.jpg", class_id) for i, class_id in enumerate(ids)]
        writes.add_images(growing, run_id, files)
        writes.add_predictions(
            growing,
            [NewPrediction(i + 1, [(ids[0], 0.9, 5.0)], 0.5, 1, 1.0 - i) for i in range(len(ids))],
        )
        writes.aggregate_accuracy(growing, run_id)
        writes.begin_stage(growing, run_id, "zero-shot", position=2, total=9, done=5)
        app.poll()
        await settle(pilot)
        # c0 alone is right: it comes last now, and the cursor is still on c2.
        assert names(app) == ["c1", "c2", "c3", "c4", "c0"]
        assert rows.record is not None and rows.record.name == "c2"
        assert "zero-shot 5/9" in shown(app.screen.query_one("#title", Static))
