"""Names, captions and paths of any content leave the layout intact."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from textual.pilot import Pilot

from db import writes
from db.batches import NewClass, NewImage
from tui.app import make_app

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "[bold red]markup[/] [@click=app.quit]x[/]",
    "\u202ereversed\u202c",
    "שלום עולם",
    "👩‍👩‍👧‍👦" * 30,
    "x" * 10_000,
    "e" + "\u0301" * 200,
    "\n\n\t\r",
    "漢字" * 100,
]


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_hostile_names_are_shown_harmlessly(
    growing: Engine,
    run_spec: Callable[[str], object],
    tmp_path: Path,
    settle: Callable[[Pilot[None]], Awaitable[None]],
    press: Callable[..., Awaitable[None]],
    size: tuple[int, int],
) -> None:
    run_id = writes.start_run(growing, run_spec("hostile"))  # type: ignore[arg-type]
    new = [NewClass(i, name, f"{i}{name}") for i, name in enumerate(HOSTILE)]
    ids = writes.add_classes(growing, run_id, new)
    files = [NewImage(f"{i}{name}", ids[0], error=name) for i, name in enumerate(HOSTILE)]
    writes.add_images(growing, run_id, files)
    writes.aggregate_accuracy(growing, run_id)
    app = make_app(tmp_path / "growing.db", images="half")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, *["down"] * len(HOSTILE), "home", "enter", "3", "enter")
        for _ in range(len(HOSTILE) - 1):
            await press(pilot, "v", "escape", "n")
        widths = {strip.cell_length for strip in app.screen._compositor.render_strips()}
        assert widths == {size[0]}
        drawn = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert not {"\x1b", "\x07", "\u202e"} & set(drawn)
