"""What a narrow terminal keeps: help and quit in every footer, and what matters most."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.tui.looking import Make, Press, Settle, lines, rows
from tui.app import make_app
from tui.widgets.record_table import Rows


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


@pytest.mark.parametrize(("width", "detailed"), [(60, False), (80, False), (120, True)])
async def test_an_image_says_whose_map_and_what_is_seen_there(
    app_on: Make, press: Press, settle: Settle, width: int, detailed: bool
) -> None:
    app = app_on(class_name="Egyptian cat", images="off")
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "enter")
        titles = next(line for line in lines(app) if "true: " in line)
        assert "true: Egyptian cat" in titles and "…" not in titles.split("true: ")[1]
        assert (" max " in titles) == detailed
        facts = "\n".join(lines(app))
        assert re.search(r"lion +0\.\d\d ", facts), "the best class has its probability"
        assert re.search(r"██ (true +)?\w+ \w+ \w+", facts), "a region has its caption"


async def test_names_of_metrics_are_whole(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(images="off")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "f")
        head = rows(app, "#figures").render_line(0).text
        assert head.index("value") > len("nameless-retrieval-top5") and "rho" in head


async def test_no_finding_is_said(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    fill_run(growing, "mini", ["tabby", "lion"])
    with growing.begin() as connection:
        connection.execute(text("UPDATE finding SET score = 0"))
    app = make_app(tmp_path / "growing.db", images="off")
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        await press(pilot, "f")
        assert any("no finding costs accuracy" in line for line in lines(app))
