"""A verdict with one digit."""

from typing import Any

import pytest
from textual.widgets import Input, OptionList

from tests.tui.looking import Make, Press, Settle, lines, rows, shown
from tui.screens.classes import ClassesScreen
from tui.screens.verdict import VerdictScreen
from tui.widgets.finding_detail import Evidence
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import Thumbs


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


@pytest.mark.parametrize("listed", [False, True])
async def test_a_label_suspect_is_marked_with_two_keys(
    app_on: Make, press: Press, settle: Settle, listed: bool
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "down", *(["enter"] if listed else []), "right", "l")
        assert isinstance(app.screen, VerdictScreen)
        assert app.screen.query_one(OptionList).highlighted == 0
        await press(pilot, "enter")
        (verdict,) = app.opened.marks.values()
        thumbs = app.screen.query_one(Thumbs if listed else Evidence).thumbs
        assert (verdict.mark, verdict.name) == ("label wrong", thumbs[1].image.path)
        assert [each.marked for each in thumbs] == [False, True]
        # What holds already does not stand in the way.
        await press(pilot, "v" if listed else "l", "down", "enter")
        assert [each.mark for each in app.opened.marks.values()] == ["shortcut"]
        await press(pilot, "l")
        assert app.screen.query_one(OptionList).highlighted == 0


async def test_images_by_verdict_and_their_number_in_the_card(
    app_on: Make, press: Press, settle: Settle, stored: Any
) -> None:
    app = app_on(class_name="crane")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "4", "v", "escape", "f")
        for option in ("label wrong", "shortcut", "label wrong"):
            await press(pilot, "enter", "v", *(["down"] if option == "shortcut" else []), "enter")
            await press(pilot, "escape", "right")
        thumbs = app.screen.query_one(Thumbs)

        def found() -> list[str]:
            return [each.image.path[-5] for each in thumbs.thumbs]

        assert found() == ["7", "6", "5", "4"]
        judged = {}
        for _ in range(7):
            await press(pilot, "m")
            head = shown(app, "#images-head").partition("  ")[0]
            judged[head.rpartition(", ")[2].strip()] = found()
        assert judged == {
            "no verdict": ["4"],
            "label wrong": ["7", "5"],
            "shortcut": ["6"],
            "ambiguous": [],
            "fine": [],
            "note": [],
            "misclassified images": ["7", "6", "5", "4"],
        }
        # Out of the filter, and out of the class.
        await press(pilot, "escape", "escape", "end", "home")
        rows(app, "#classes").select(stored.class_ids[3])
        await settle(pilot)
        assert "images: 2 label wrong, 1 shortcut" in shown(app, "#card")
