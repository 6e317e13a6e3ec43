"""How the app looks; without pictures, whose pixels depend on the decoder's version.

After a wanted change: pytest -n 0 tests/tui/test_snapshots.py --snapshot-update
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tui.app import MapCapApp, make_app

WALKS = {
    "classes": [],
    "summary": ["enter", "2"],
    "captions": ["enter", "3"],
    "image": ["enter", "4", "enter"],
    "neighbours": ["enter", "4", "enter", "enter"],
    "help": ["question_mark"],
    "findings": ["enter"],
    "words": ["enter", "w"],
    "calibration": ["enter", "c"],
    "evidence": ["enter", "i"],
    "run-findings": ["f", "down"],
    "metrics": ["ctrl+r", "f", "n"],
    "plot": ["ctrl+r", "f", "n", "t"],
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("walk", WALKS)
def test_looks(
    app_on: Callable[..., MapCapApp],
    settle: Callable[[Pilot[None]], Awaitable[None]],
    press: Callable[..., Awaitable[None]],
    snap_compare: Any,
    walk: str,
    size: tuple[int, int],
) -> None:
    async def go(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await press(pilot, *WALKS[walk])

    assert snap_compare(app_on(images="off"), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 40)], ids=["60x24", "80x24", "120x40"])
def test_two_runs_look(
    two_runs: tuple[int, int],
    tmp_path: Path,
    settle: Callable[[Pilot[None]], Awaitable[None]],
    press: Callable[..., Awaitable[None]],
    snap_compare: Any,
    size: tuple[int, int],
) -> None:
    async def go(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await press(pilot, "ctrl+r", "down", "c", "enter")

    app = make_app(tmp_path / "growing.db", run=two_runs[1], images="off")
    assert snap_compare(app, terminal_size=size, run_before=go)
