"""The findings of a class: their pictures, their evidence, words and calibration."""

from typing import Any

from textual.widgets import Input, TabbedContent

from db import queries
from db.engine import open_read
from tests.tui.looking import Make, Press, Settle, evidence, kinds, rows, shown
from tui.screens.evidence import FindingImagesScreen, FindingRegionsScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.widgets.findings_pane import FindingsPane
from tui.widgets.thumbs import Thumbs


async def test_why_tabby_fails_in_two_keys(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        card = shown(app, "#card")
        assert "1 of 8 correct; 7 predicted as Egyptian cat" in card
        assert card.index("Why") < card.index("7 of 8 are predicted as") < card.index("Words")
        assert "tabby: 1 of 8" not in card  # the name stands above
        await press(pilot, "enter")
        assert shown(app, "#audit-line").startswith("1 of 8 correct")
        assert kinds(app) == ["confusion", "label", "slice", "watermark", "confusion"]
        told = shown(app, "#finding")
        assert "100 % of the errors go there (q 1.0e-05)" in told
        assert "2 of the 7 are possible label errors" in told
        assert "3× a grey cat on a sofa." in told
        assert {each.image.predicted_name for each in evidence(app)} == {"Egyptian cat"}
        assert all(each.caption for each in evidence(app))  # regions, outlined


async def test_pictures_are_turned_while_the_list_keeps_the_focus(
    app_on: Make, press: Press, settle: Settle, stored: Any
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "down")
        engine = open_read(stored.path)
        wanted = queries.finding_regions(engine, rows(app).record.finding.id)
        engine.dispose()
        # A photo is shown once, however many of its regions are evidence.
        photos = list(dict.fromkeys(region.image_id for region in wanted))
        assert len(photos) < len(wanted) == 5
        seen = [evidence(app)[0].image.id]
        for _ in photos[1:]:
            await press(pilot, "right")
            seen.append(evidence(app)[-1].image.id)
        assert seen == photos
        assert app.focused is rows(app)
        await press(pilot, "n")  # there is no fourth
        assert "images 3-3 of 3" in shown(app, "#shown")
        await press(pilot, "p")
        assert "images 1-2 of 3" in shown(app, "#shown")
        await press(pilot, "down")
        assert "images 1-2 of 6" in shown(app, "#shown")


async def test_enter_lists_the_evidence_and_n_walks_through_it(
    app_on: Make, press: Press, settle: Settle, stored: Any
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, FindingRegionsScreen)
        assert len(rows(app, "#found").records) == 14
        await press(pilot, "enter")
        assert isinstance(app.screen, ImageScreen)
        await press(pilot, "escape", "escape", "i")
        assert isinstance(app.screen, FindingImagesScreen)
        thumbs = app.screen.query_one(Thumbs)
        paths = [each.image.path for each in thumbs.thumbs]
        assert len(paths) == 7
        plain = thumbs.thumbs[0].picture
        await press(pilot, "o")
        assert thumbs.thumbs[0].picture.tobytes() != plain.tobytes()
        await press(pilot, "right", "enter", "n", "n")
        assert isinstance(app.screen, ImageScreen)
        assert app.screen.image_content is not None
        assert app.screen.image_content.image.path == paths[3]
        await press(pilot, *["n"] * 9)
        assert app.screen.image_content.image.path == paths[-1]  # the last of the finding
        await press(pilot, "escape", "escape", "n", "o")
        assert isinstance(app.screen, ImageScreen)


async def test_pages_of_evidence(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot)
        await press(pilot, "i")
        thumbs = app.screen.query_one(Thumbs)
        assert thumbs.fits == 2
        assert "1 to 2 of 7" in shown(app, "#title")
        await press(pilot, "pagedown", "pagedown", "pagedown")
        assert "7 to 7 of 7" in shown(app, "#title")
        await press(pilot, "pagedown", "pageup")
        assert "5 to 6 of 7" in shown(app, "#title")


async def test_a_finding_about_another_class_leads_there(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="Egyptian cat")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "end")
        assert "33 % of what is predicted as this class is tabby" in shown(app, "#finding")
        assert {each.image.class_name for each in evidence(app)} == {"tabby"}
        await press(pilot, "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.record.name == "tabby"
        assert app.screen.query_one(TabbedContent).active == "findings-tab"


async def test_words_of_the_errors_and_calibration(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on(class_name="tabby")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "w")
        table = rows(app, "#error-words")
        assert app.focused is rows(app, "#error-words")
        assert [word.word for word in table.records] == ["sofa", "green"]
        assert "1 of 2 significant" in shown(app, "#words-head")
        line = table.render_line(1).text.split()
        assert line == ["sofa", "3", "1", "25", "%", "3.1", "0.004", "0.050", "+0.010", "to",
                        "+0.090"]  # fmt: skip
        await press(pilot, "a")
        assert [word.word for word in table.records] == ["eyes"]
        assert "correct ones of Egyptian cat" in shown(app, "#words-head")
        await press(pilot, "a")
        assert [word.word for word in table.records] == ["sofa", "green"]
        await press(pilot, "enter")
        assert app.screen.query_one(TabbedContent).active == "captions-tab"
        assert app.screen.query_one("#words", Input).value == "sofa"
        assert {each.caption.text for each in rows(app, "#captions").records} == {
            "a grey cat on a sofa."
        }
        await press(pilot, "escape")  # back to the words that led here
        assert app.focused is table
        await press(pilot, "escape")  # to the findings, not out of the class
        assert app.focused is rows(app)
        await press(pilot, "c")
        drawn = shown(app, "#bins")
        assert "calibration error (ECE) 0.40" in drawn
        assert "overconfident by 62 % where the class is predicted" in drawn
        assert "0.6 to 0.7" in drawn
        assert "similarity of region embeddings, misclassified to correct: cosine 0.97" in drawn
        await press(pilot, "c")
        assert app.screen.query_one(FindingsPane).view == "browser"
