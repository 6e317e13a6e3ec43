"""Search, runs, verdicts, help, and what every screen can do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from db import queries
from tests.tui.looking import Make, Press, Settle
from tui.app import MapCapApp, make_app
from tui.screens.classes import ClassesScreen
from tui.screens.compare import CompareScreen
from tui.screens.help import HelpScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.places import PlacesScreen
from tui.screens.run_findings import RunFindingsScreen
from tui.screens.runs import RunsScreen
from tui.screens.search import SearchScreen
from tui.widgets.record_table import Rows


async def test_search_finds_classes_captions_and_images(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+f", "c", "a", "t")
        assert isinstance(app.screen, SearchScreen)
        rows = app.screen.query_one("#hits", Rows)
        kinds = [hit.kind for hit in rows.records]
        assert kinds == ["class", "caption", "caption"]
        assert " classes" in rows.render_line(2).text
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.record.name == "Egyptian cat"
        await press(pilot, "escape", "down", "enter")
        assert isinstance(app.screen, PlacesScreen)
        found = app.screen.query_one("#found", Rows).records
        assert len({each.region.class_name for each in found}) > 1  # the whole run
        await press(pilot, "escape", "slash")
        app.screen.query_one(Input).value = "n03/5"
        await settle(pilot)
        await press(pilot, "down", "enter")
        assert isinstance(app.screen, ImageScreen)


async def test_switching_and_comparing_runs(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    first, _ = fill_run(growing, "mini", ["tabby", "lion"])
    second, _ = fill_run(growing, "poster", ["tabby", "lion", "crane"])
    app = make_app(tmp_path / "growing.db", run=first, images="off")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "c")
        assert isinstance(app.screen, CompareScreen)
        pairs = app.screen.query_one("#pairs", Rows).records
        assert {pair.name: pair.change for pair in pairs} == {
            "tabby": 0.0, "lion": 0.0, "crane": None
        }  # fmt: skip
        await press(pilot, "escape")
        assert isinstance(app.screen, RunsScreen)
        facts = str(app.screen.query_one("#facts-of-run", Static).content)
        assert "representation: pooled" in facts
        await press(pilot, "enter")
        assert isinstance(app.screen, ClassesScreen)
        assert app.opened.run.id == second
        assert len(app.screen.query_one("#classes", Rows).records) == 3
        assert len(app.screen_stack) == 1


async def test_a_class_is_marked_with_a_note_and_the_mark_taken_back(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v")
        app.screen.query_one(Input).value = "[bold]names overlap[/]"
        app.screen.query_one(OptionList).highlighted = 2
        await press(pilot, "enter")
        (verdict,) = app.opened.marks.values()
        assert (verdict.kind, verdict.name, verdict.mark) == ("class", "n00", "ambiguous")
        assert verdict.note == "[bold]names overlap[/]"
        row = app.screen.query_one("#classes", Rows).render_line(1).text
        assert row.startswith("✎ tabby")
        await press(pilot, "v")
        assert app.screen.query_one(Input).value == "[bold]names overlap[/]"
        await press(pilot, "end", "enter")
        assert app.opened.marks == {}


async def test_every_screen_has_help(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for keys in ([], ["enter"], ["4", "enter"], ["enter"], ["ctrl+r"], ["ctrl+f"], ["escape"]):
            await press(pilot, *keys)
            before = app.screen
            assert before.HELP_TEXT  # type: ignore[attr-defined]
            await press(pilot, "f1")
            assert isinstance(app.screen, HelpScreen)
            assert app.screen.keys
            assert all(what for _, what in app.screen.keys)
            await press(pilot, "escape")
            assert app.screen is before


def test_every_binding_has_an_id_of_its_own_and_a_word(app_on: Make) -> None:
    from textual.binding import Binding

    from tui.screens.base import BrowseScreen

    def kinds(of: type) -> set[type]:
        return {of}.union(*map(kinds, of.__subclasses__()))

    own = {kind for kind in kinds(Widget) if kind.__module__.startswith("tui.")}
    owners = [MapCapApp, HelpScreen, BrowseScreen, *own - {HelpScreen, BrowseScreen}]
    assert RunFindingsScreen in owners
    ids = []
    for owner in owners:
        for binding in owner.__dict__.get("BINDINGS", []):
            assert isinstance(binding, Binding)
            assert binding.description
            ids.append(binding.id)
    assert None not in ids
    assert len(set(ids)) == len(ids)


async def test_the_palette_offers_what_the_keys_do(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert {"Findings of the run, of all classes", "Search the whole run"} <= set(titles)
        assert "Move up" not in titles
        await press(pilot, "ctrl+p", *"all cla", "enter")
        assert isinstance(app.screen, RunFindingsScreen)
        await press(pilot, "escape", "enter")
        screen: Any = app.screen
        titles = [command.title for command in app.get_system_commands(screen)]
        assert "Call the label of the marked picture wrong" in titles


async def test_a_file_that_breaks_in_use_is_a_message(
    growing: Engine,
    fill_run: Callable[..., object],
    tmp_path: Path,
    press: Press,
    settle: Settle,
    notes: list[str],
) -> None:
    fill_run(growing, "mini", ["tabby", "lion"])
    growing.dispose()
    app = make_app(tmp_path / "growing.db", images="half")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        app.opened.engine.dispose()
        (tmp_path / "growing.db").write_bytes(b"no longer a database " * 500)
        for leftover in tmp_path.glob("growing.db-*"):
            leftover.unlink()
        await press(pilot, "r")
        assert len(notes) == 1
        assert "growing.db" in notes[0]
        assert app.is_running


async def test_screenshot_key_writes_an_svg(
    app_on: Make, press: Press, settle: Settle, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+s")
        (file,) = tmp_path.glob("*.svg")
        assert "tabby" in file.read_text()


async def test_pictures_off_draws_none(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(images="off", class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4")
        assert not set("▘▝▖▞▛") & set(app.export_screenshot())


def test_the_run_must_exist(growing: Engine, tmp_path: Path) -> None:
    import pytest

    from db.errors import StoreError

    for run in (None, 7):
        with pytest.raises(StoreError):
            make_app(tmp_path / "growing.db", run=run)
    with pytest.raises(StoreError, match="does not exist"):
        make_app(tmp_path / "none.db")
    with pytest.raises(StoreError, match="--images"):
        make_app(tmp_path / "growing.db", images="ascii")
    assert queries.runs(growing) == []
