"""Few colours are said, and can be chosen."""

import gc
import os
from pathlib import Path

import pytest

from mapcap.cli import browse
from mapcap.errors import UserError
from tests.tui.looking import Make, Press, Settle, lines
from tui.widgets.images_pane import ImagesPane


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
