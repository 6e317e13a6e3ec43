"""The tabs of a class."""

from typing import Any

from textual.widgets import Static, TabbedContent

from db import queries
from db.engine import open_read
from mapcap.summaries.selection import choose
from tests.tui.looking import Make, Press, Settle
from tui.app import MapCapApp
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.places import PlacesScreen
from tui.widgets.images_pane import ImagesPane
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import Thumbs


def rows(app: MapCapApp, name: str) -> Rows:  # type: ignore[type-arg]
    return app.screen.query_one(name, Rows)


async def test_length_and_lambda_choose_again(
    app_on: Make, press: Press, settle: Settle, stored
) -> None:
    engine = open_read(stored.path)
    pmi = queries.pmi(engine, stored.class_ids[0])
    engine.dispose()
    assert pmi is not None

    def chosen(k: int, redundancy: float) -> list[str]:
        return [pmi.texts[each.index] for each in choose(pmi, k, redundancy)]

    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        table = rows(app, "#sentences")
        assert [each.text for each in table.records] == chosen(3, 1.0)
        await press(pilot, "minus")
        assert [each.text for each in table.records] == chosen(2, 1.0)
        await press(pilot, "plus", *["right_square_bracket"] * 4)
        assert [each.text for each in table.records] == chosen(3, 2.0)
        assert [each.score for each in table.records] == [
            each.score for each in choose(pmi, 3, 2.0)
        ]
        await press(pilot, *["left_square_bracket"] * 9)
        assert [each.text for each in table.records] == chosen(3, 0.0)


async def test_a_sentence_leads_to_its_regions(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "2")
        sentence: Any = rows(app, "#sentences").record
        text, count = sentence.text, sentence.count
        await press(pilot, "enter")
        assert isinstance(app.screen, PlacesScreen)
        found = rows(app, "#found").records
        assert {each.region.caption for each in found} == {text}
        assert {each.region.class_name for each in found} == {"tabby"}
        assert len(found) == count
        await press(pilot, "enter")
        assert isinstance(app.screen, ImageScreen)


async def test_captions_are_searched_as_typed(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "3")
        table = rows(app, "#captions")
        assert [each.caption.count for each in table.records] == [6, 5, 5]
        assert sum(each.caption.selected for each in table.records) == 3
        every = [each.caption for each in table.records]
        await press(pilot, "slash", "g", "r", "e")
        # As they were among all: counts and order, too.
        assert [each.caption for each in table.records] == [
            each for each in every if " gre" in each.text
        ]
        await press(pilot, "e", "n")
        (hit,) = table.records
        assert [hit.caption.text[begin:end] for begin, end in hit.spans] == ["green"]
        assert hit.caption.right + hit.caption.wrong > 0
        await press(pilot, "enter", "enter")
        assert isinstance(app.screen, PlacesScreen)
        await press(pilot, "escape", "slash", "escape")  # leaves the box, not the class
        assert isinstance(app.screen, ClassScreen)
        assert len(table.records) == 3


async def test_images_are_filtered_and_paged(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="crane")
    async with app.run_test(size=(88, 20)) as pilot:
        await settle(pilot)
        await press(pilot, "4")
        thumbs = app.screen.query_one(Thumbs)
        assert app.focused is thumbs

        def paths() -> list[str]:
            return [each.image.path[-5] for each in thumbs.thumbs]

        assert thumbs.fits == 4
        assert paths() == ["7", "6", "5", "4"]
        await press(pilot, "n")
        assert paths() == ["3", "2", "1", "0"]
        assert "5-8 of 8" in str(app.screen.query_one("#images-head", Static).content)
        await press(pilot, "n")  # there is no third page
        assert paths() == ["3", "2", "1", "0"]
        await press(pilot, "p", "r")
        assert paths() == ["0", "1", "2", "3"]
        await press(pilot, "r", "f", "right", "right", "right", "right")
        assert paths() == ["7", "6", "5", "4"]  # four are wrong: the page is the last
        await press(pilot, "f")
        assert paths() == ["3", "2", "1", "0"]
        await press(pilot, "w")
        assert "school bus" in str(app.screen.query_one("#images-head", Static).content)
        assert paths() == ["7", "6", "5", "4"]
        with_map = thumbs.thumbs[0].picture
        await press(pilot, "o")
        without = thumbs.thumbs[0].picture
        assert with_map is not None
        assert without is not None
        assert with_map.tobytes() != without.tobytes()


async def test_a_confusion_shows_its_captions_and_leads_to_its_images(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "5")
        (confusion,) = rows(app, "#confusions").records
        assert (confusion.predicted_name, confusion.count) == ("Egyptian cat", 7)
        await press(pilot, "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.query_one(TabbedContent).active == "images"
        thumbs = app.screen.query_one(Thumbs)
        assert len(thumbs.thumbs) == 7
        assert {each.image.predicted_name for each in thumbs.thumbs} == {"Egyptian cat"}
        await press(pilot, "escape")  # a step back, and the images are all there again
        assert app.focused is rows(app, "#confusions")
        await press(pilot, "4")
        assert not app.screen.query_one(ImagesPane).narrowed
        await press(pilot, "f", "escape")  # out of the filter, then out of the class
        assert not app.screen.query_one(ImagesPane).narrowed
        await press(pilot, "escape")
        assert not isinstance(app.screen, ClassScreen)


async def test_copies_the_summary(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "2", "y")
        assert app.clipboard.splitlines()[0] == "tabby"
        assert len(app.clipboard.splitlines()) == 4
