"""Two runs of a file: the change, what they differ by, and which is shown."""

from pathlib import Path

import pytest
from sqlalchemy import Engine
from textual.widgets import Static

from db import queries, writes
from mapcap.stats import mcnemar
from tests.tui.looking import Press, Settle, lines, title
from tui.app import make_app
from tui.screens.apart import ApartScreen
from tui.screens.compare import CompareScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.runs import differing
from tui.widgets.record_table import Rows


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


async def test_the_verdict_on_two_runs_is_whole_where_it_is_narrow(
    two_runs: tuple[int, int], tmp_path: Path, press: Press, settle: Settle
) -> None:
    app = make_app(tmp_path / "growing.db", images="off")
    async with app.run_test(size=(40, 15)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "down", "c")
        head = " ".join(" ".join(lines(app)[:2]).split())
        assert "not significant: 3 gained, 0 lost, p 0.250" in head
