"""What a newcomer stumbled over: keys that are always shown, one picture, verdicts, other runs."""

import gc
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from db import queries, writes
from mapcap.cli import browse
from mapcap.errors import UserError
from mapcap.stats import mcnemar
from tests.tui.conftest import strips_of
from tui.app import MapCapApp, make_app
from tui.screens.apart import ApartScreen
from tui.screens.classes import ClassesScreen
from tui.screens.compare import CompareScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.runs import differing
from tui.screens.verdict import VerdictScreen
from tui.viewer import photo_file, view
from tui.widgets.images_pane import ImagesPane
from tui.widgets.picture_row import Frames
from tui.widgets.record_table import Rows

Make = Callable[..., MapCapApp]
Press = Callable[..., Awaitable[None]]
Settle = Callable[[Pilot[None]], Awaitable[None]]


def lines(app: MapCapApp) -> list[str]:
    return [strip.text for strip in strips_of(app)]


def title(app: MapCapApp) -> str:
    return str(app.screen.query_one("#title", Static).render())


@pytest.mark.parametrize("width", [40, 60, 120])
async def test_help_and_quit_stand_in_every_footer(
    app_on: Make, press: Press, settle: Settle, width: int
) -> None:
    app = app_on(images="off")
    async with app.run_test(size=(width, 20)) as pilot:
        await settle(pilot)
        assert "esc Back" not in lines(app)[-1]  # there is nowhere to go back to
        for keys in ([], ["enter"], ["2"], ["4"], ["enter"], ["enter"], ["ctrl+r"], ["f"]):
            await press(pilot, *keys)
            assert lines(app)[-1].startswith("? Help q Quit")


@pytest.mark.parametrize(
    ("width", "wanted", "missing"),
    [
        (40, ["class", "accuracy"], ["predicted as", "images", "p(true)"]),
        (60, ["class", "accuracy", "predicted as"], ["p(true)"]),
        (80, ["class", "images", "accuracy", "predicted as", "p(true)"], ["first sentence"]),
    ],
)
async def test_the_least_column_goes_first(
    app_on: Make, settle: Settle, width: int, wanted: list[str], missing: list[str]
) -> None:
    app = app_on(images="off")
    async with app.run_test(size=(width, 20)) as pilot:
        await settle(pilot)
        rows = app.screen.query_one("#classes", Rows)
        head, first = rows.render_line(0).text, rows.render_line(1).text
        assert all(each in head for each in wanted)
        assert not any(each in head for each in missing)
        assert "tabby" in first and "12 %" in first


async def test_one_picture_fills_the_screen_and_escape_takes_a_step_back(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "enter")
        frames = app.screen.query_one(Frames)
        shown = [cell for cell in frames.query(".frame") if cell.display]
        assert len(shown) == 4
        await press(pilot, "o")
        (cell,) = (cell for cell in frames.query(".frame") if cell.display)
        # All but the title above and the keys below.
        assert cell.size.width > 110 and cell.size.height >= 36
        assert not app.screen.query_one("#facts").display
        first = str(cell.query_one(".frame-title", Static).render())
        await press(pilot, "o")
        assert str(cell.query_one(".frame-title", Static).render()) != first
        await press(pilot, "escape")
        assert isinstance(app.screen, ImageScreen)
        assert sum(cell.display for cell in frames.query(".frame")) == 4
        assert app.focused is app.screen.query_one("#regions")
        await press(pilot, *["o"] * 5)  # through all four, and together again
        assert not frames.alone
        await press(pilot, "escape")
        assert isinstance(app.screen, ClassScreen)


async def test_a_photo_is_copied_by_its_whole_path(
    app_on: Make,
    press: Press,
    settle: Settle,
    notes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "4", "enter", "y")
        assert Path(app.clipboard).is_absolute()
        assert app.clipboard.endswith("/mini/n00/7.jpg")
        await press(pilot, "x")
        assert any("the photo is not here" in note for note in notes)


async def test_a_photo_opens_where_there_is_a_display(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db.engine import open_read

    engine = open_read(stored.path)
    image = replace(queries.images(engine, stored.class_ids[0], limit=1)[0], path="a b.jpg")
    engine.dispose()
    assert photo_file(image, str(tmp_path)) == tmp_path / "a b.jpg"
    (tmp_path / "a b.jpg").write_bytes(b"photo")
    file = photo_file(image, str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert view(file) == f"no display here; the path is copied: {file}"
    opener, told = tmp_path / "bin" / "xdg-open", tmp_path / "told"
    opener.parent.mkdir()
    os.mkfifo(told)
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}"\n')
    opener.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{opener.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.platform", "linux")
    assert view(file) == f"opened {file}"
    assert told.read_text() == str(file)  # waits for the other end


async def test_a_finding_is_judged_with_one_digit_and_copied(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "y")
        assert app.clipboard == "tabby: 7 of 8 are predicted as Egyptian cat"
        await press(pilot, "v")
        assert isinstance(app.screen, VerdictScreen)
        options = app.screen.query_one(OptionList)
        assert "noise" in str(options.get_option_at_index(1).prompt)
        # A small window: what it is about can still be seen.
        assert app.screen.query_one("#verdict").size.height < 20
        await press(pilot, "2")
        (verdict,) = app.opened.marks.values()
        assert (verdict.kind, verdict.name, verdict.mark) == (
            "finding", verdict.name, "noise"
        )  # fmt: skip
        assert verdict.title == "n00: 7 of 8 are predicted as Egyptian cat"
        assert "✎ noise 7 of 8" in app.screen.query_one("#findings", Rows).render_line(1).text
        await press(pilot, "escape", "f")
        assert "✎ noise" in "\n".join(lines(app))
        await press(pilot, "escape", "v", "3")
        assert {v.kind: v.mark for v in app.opened.marks.values()}["class"] == "ambiguous"


async def test_digits_belong_to_the_note_while_it_is_written(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "v", "tab", "1", "2")
        assert app.screen.query_one(Input).value == "12"
        await press(pilot, "enter", "9", "6")  # there is no ninth; the sixth takes it back
        assert app.opened.marks == {}
        assert isinstance(app.screen, ClassesScreen)


@pytest.mark.parametrize("looked_at", [0, 1])
async def test_the_change_is_the_newer_run_minus_the_older(
    two_runs: tuple[int, int], tmp_path: Path, press: Press, settle: Settle, looked_at: int
) -> None:
    older, newer = two_runs
    app = make_app(tmp_path / "growing.db", run=two_runs[looked_at], images="off")
    async with app.run_test(size=(140, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r")
        rows = app.screen.query_one(Rows)
        rows.select(two_runs[1 - looked_at])
        await press(pilot, "c")
        assert isinstance(app.screen, CompareScreen)
        assert f"run {older} → run {newer}" in title(app)
        assert "3 gained, 0 lost, p 0.250" in title(app)
        pairs = {pair.name: pair for pair in app.screen.query_one("#pairs", Rows).records}
        assert pairs["tabby"].change == pytest.approx(3 / 8)
        assert pairs["lion"].change == 0
        tabby = pairs["tabby"].paired
        assert (tabby.gained, tabby.lost, tabby.p) == (3, 0, mcnemar(3, 0))
        line = lines(app)[2]
        assert "not significant" in line and "+38" in line
        await press(pilot, "enter")
        assert isinstance(app.screen, ApartScreen)
        assert "8 images in both: 1 → 4 correct, 3 gained, 0 lost, p 0.250" in title(app)
        for side, run, errors in (("older", older, 3), ("newer", newer, 0)):
            table = app.screen.query_one(f"#{side}-errors", Rows)
            assert len(table.records) == errors
            head = str(app.screen.query_one(f"#{side}-head", Static).content)
            assert f"run {run} alone: {errors} errors" in head
        assert lines(app)[4].split()[1] == "lion", "what the older run predicts"
        cell = str(app.screen.query_one("#cell", Static).content)
        assert cell.endswith(" → lion") and cell.startswith("mini/")
        await press(pilot, "enter")
        assert isinstance(app.screen, ImageScreen)
        assert app.screen.opened.run.id == older and "predicted as lion" in title(app)
        await press(pilot, "escape", "tab", "enter")
        assert isinstance(app.screen, ClassScreen)
        assert (app.screen.record.name, app.screen.opened.run.id) == ("tabby", older)
        await press(pilot, "escape", "o")
        assert app.focused is app.screen.query_one("#newer-findings")
        await press(pilot, "c")
        assert isinstance(app.screen, ClassScreen) and app.screen.opened.run.id == newer
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, CompareScreen)


async def test_runs_differ_by_their_settings(
    two_runs: tuple[int, int], growing: Engine, tmp_path: Path, press: Press, settle: Settle
) -> None:
    assert differing(queries.runs(growing)) == ["preset poster", "preset mini"]
    app = make_app(tmp_path / "growing.db", images="off")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r")
        assert "preset poster" in lines(app)[2]


async def test_a_newer_run_that_is_not_finished_is_told(
    two_runs: tuple[int, int], growing: Engine, tmp_path: Path, press: Press, settle: Settle
) -> None:
    older, newer = two_runs
    writes.set_status(growing, newer, "interrupted")
    app = make_app(tmp_path / "growing.db", images="off")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert app.opened.run.id == older
        assert f"run {newer} is not finished: ctrl+r" in title(app)
        await press(pilot, "ctrl+r", "enter")
        assert app.opened.run.id == newer
        assert "not finished" not in title(app)


async def test_few_colours_are_told_once_and_no_relevance_hides_the_photo(
    app_on: Make,
    press: Press,
    settle: Settle,
    notes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORTERM", raising=False)
    app = app_on()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "4")
        assert not app.screen.query_one(ImagesPane).overlay
        await press(pilot, "escape", "enter")
        assert sum("--colors truecolor" in note for note in notes) == 1
        await press(pilot, "f1")
        assert "COLORTERM=truecolor" in " ".join(lines(app))


def test_colours_are_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ran:
        def run(self) -> None:
            assert os.environ["TEXTUAL_COLOR_SYSTEM"] == "truecolor"

    monkeypatch.setenv("TEXTUAL_FPS", "60")
    monkeypatch.setenv("TEXTUAL_COLOR_SYSTEM", "auto")
    monkeypatch.setattr("tui.app.make_app", lambda *_, **__: Ran())
    monkeypatch.setattr("mapcap.cli._check_terminal", lambda: None)
    with pytest.raises(UserError, match="--colors is one of auto, truecolor, 256"):
        browse(Path("store.db"), colors="many")
    try:
        browse(Path("store.db"), colors="truecolor")
    finally:
        gc.enable()
