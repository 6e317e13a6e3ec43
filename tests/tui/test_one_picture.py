"""One picture as large as the screen, its path copied, and the photo itself opened."""

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from db import queries
from tests.tui.looking import Make, Press, Settle
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.viewer import photo_file, view
from tui.widgets.picture_row import Frames


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
