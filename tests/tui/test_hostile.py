"""Names, captions, paths, findings and figures of any content leave the layout intact."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text
from sqlalchemy import Engine
from textual.pilot import Pilot

from db import queries, writes
from db.records import ClassAudit, ErrorWord, Figure, Finding
from db.rows import NewAudit, NewClass, NewFinding, NewImage
from tests.tui.conftest import strips_of
from tui.app import MapCapApp, make_app
from tui.widgets.calibration import calibration
from tui.widgets.finding_text import finding_lines, line_of, tag

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
        await press(pilot, *["down"] * len(HOSTILE), "home", "enter", "4", "enter")
        for _ in range(len(HOSTILE) - 1):
            await press(pilot, "v", "escape", "n")
        harmless(app, size[0])


def harmless(app: MapCapApp, width: int) -> None:
    """Check that every line on the screen is whole and nothing in it moves the terminal."""
    strips = strips_of(app)
    assert {strip.cell_length for strip in strips} == {width}
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(strip.text for strip in strips))


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_hostile_findings_and_figures_are_shown_harmlessly(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    settle: Callable[[Pilot[None]], Awaitable[None]],
    press: Callable[..., Awaitable[None]],
    size: tuple[int, int],
) -> None:
    run_id, ids = fill_run(growing, "hostile", HOSTILE[:2])
    images = [image.id for image in queries.images(growing, ids[0])]
    findings = [
        NewFinding(
            text, text, 0.5, {"box": [0, 0, 1, 1], "count": 3}, images,
            plain=text, colour=text, overlay=i % 2 == 0, details=HOSTILE[i:],
        )
        for i, text in enumerate(HOSTILE)
    ]  # fmt: skip
    words = [ErrorWord(text, None, 1, 2, 0.01, None, None, None, 4, 1, 3) for text in HOSTILE]
    line = "; ".join(HOSTILE)
    writes.add_audit(growing, NewAudit(ids[0], line, [{"text": line}], {}, words, findings))
    writes.set_figures(
        growing,
        run_id,
        [Figure(text, 1e300, -1.0, 1e9, 3) for text in HOSTILE],
        {ids[0]: dict.fromkeys(HOSTILE, 0.5)},
    )
    app = make_app(tmp_path / "growing.db", images="half")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        harmless(app, size[0])
        await press(pilot, "enter")
        for _ in HOSTILE:
            harmless(app, size[0])
            await press(pilot, "down", "right")
        for keys in (["w"], ["c"], ["c", "enter"], ["escape", "escape", "f"]):
            await press(pilot, *keys)
            harmless(app, size[0])
        await press(pilot, "ctrl+r", "f", "n", "t")
        harmless(app, size[0])
        await press(pilot, "escape", "escape", "escape", "m")
        harmless(app, size[0])


json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)
KEYS = ["class_id", "count", "bins", "ece", "mean_confidence", "accuracy", "maps_cosine", "maps_p",
        "regions_cosine", "regions_p"]  # fmt: skip


@given(
    kind=st.text(),
    details=st.lists(st.text()),
    figures=st.dictionaries(st.sampled_from(KEYS), json),
    text=st.text(),
)
@settings(max_examples=150, deadline=None)
def test_any_finding_is_told_harmlessly(
    kind: str, details: list[str], figures: dict[str, Any], text: str
) -> None:
    finding = Finding(
        1, 1, kind, 0, text, 0.5, figures, 0, 0, kind, "#ffffff", False, details, text
    )
    audit = ClassAudit(1, text, [], figures)
    lines = [tag(kind, "#ffffff"), *finding_lines(finding), line_of(audit, text)]
    shown = Text("\n").join([*lines, *calibration(audit).split("\n")])
    assert not any(
        (ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in shown.plain
    )
