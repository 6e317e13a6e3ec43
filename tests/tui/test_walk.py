"""From the worst class to one wrong image, its overlays, a region like it, and a verdict."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from db.verdicts import read_verdicts
from tests.tui.looking import Make, Press
from tui.screens.classes import ClassesScreen
from tui.screens.neighbours import NeighboursScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.verdict import VerdictScreen
from tui.widgets.picture_row import Frames
from tui.widgets.record_table import Rows
from tui.widgets.region_list import RegionList
from tui.widgets.thumbs import Thumbs

Settle = Callable[..., Awaitable[None]]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_from_the_worst_class_to_a_marked_image(
    app_on: Make, press: Press, settle: Settle, stored: Any, size: tuple[int, int]
) -> None:
    app = app_on()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, ClassesScreen)
        first: Any = app.screen.query_one(Rows).record
        assert first.name == "tabby"  # 1 of 8 correct

        await press(pilot, "enter", "4", "f")
        assert isinstance(app.screen, ClassScreen)
        thumbs = app.screen.query_one(Thumbs)
        assert thumbs.selected is not None
        assert thumbs.selected.correct is False

        await press(pilot, "enter")
        image = app.screen
        assert isinstance(image, ImageScreen)
        assert image.image_content is not None
        assert set(image.image_content.maps) == {"true", "predicted", "contrast"}
        titles = [frame.title.plain for frame in image.query_one(Frames).frames]
        assert titles[0] == "thumbnail, regions for true"
        assert titles[1].startswith("true: tabby")
        assert titles[2].startswith("predicted: Egyptian cat")
        assert titles[3].endswith("(all zero)")

        await press(pilot, "enter")
        assert isinstance(app.screen, NeighboursScreen)
        found = app.screen.query_one(RegionList).query_one(Rows)
        assert "96 regions searched" in str(app.screen.query_one("#title").render())
        cosines = [each.cosine for each in found.records]
        assert cosines == sorted(cosines, reverse=True)
        assert image.image_content.image.id not in {each.region.image_id for each in found.records}
        other = next(i for i, each in enumerate(found.records) if each.region.class_name != "tabby")
        found.cursor = other
        await press(pilot, "enter")
        assert isinstance(app.screen, ImageScreen)
        assert app.screen.image_content is not None
        assert app.screen.image_content.image.class_name == found.records[other].region.class_name

        await press(pilot, "escape", "escape", "v")
        assert isinstance(app.screen, VerdictScreen)
        await press(pilot, "down", "enter")
        assert app.screen is image
        assert "shortcut" in str(image.query_one("#title").render())
    marks = read_verdicts(stored.verdicts, "mini")
    assert [(v.kind, v.name, v.mark) for v in marks.values()] == [
        ("image", image.image_content.image.path, "shortcut")
    ]


async def test_next_and_previous_follow_the_margins(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="crane")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "enter")
        image = app.screen
        assert isinstance(image, ImageScreen)

        def path() -> str:
            assert image.image_content is not None
            return image.image_content.image.path[-5:]

        # Right are 0 to 3; margins fall from 0 to 7 within the right and within the wrong.
        assert path() == "7.jpg"
        await press(pilot, "n")
        assert path() == "6.jpg"
        await press(pilot, "p", "p")  # there is none before the first
        assert path() == "7.jpg"
        await press(pilot, "n", "n", "n", "n")
        assert path() == "3.jpg"
        await press(pilot, "p", "w")
        assert path() == "4.jpg"  # no wrong one follows


async def test_overlay_strength_changes_the_picture(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "enter")
        frames = app.screen.query_one(Frames)
        before = frames.frames[1].picture
        await press(pilot, "plus")
        assert before is not None
        assert frames.frames[1].picture.tobytes() != before.tobytes()  # type: ignore[union-attr]
        await press(pilot, *["minus"] * 12)
        flat = frames.frames[1].picture
        assert flat is not None
        assert flat.tobytes() == frames.frames[3].picture.tobytes()  # type: ignore[union-attr]
