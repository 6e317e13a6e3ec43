"""The findings of a class and of the run, their evidence, words and calibration."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, text
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TabbedContent

from db import queries, writes
from db.engine import open_read
from db.rows import NewAudit, NewFinding
from tui.app import MapCapApp, make_app
from tui.screens.evidence import FindingImagesScreen, FindingRegionsScreen
from tui.screens.one_class import ClassScreen
from tui.screens.one_image import ImageScreen
from tui.screens.run_findings import RunFindingsScreen
from tui.screens.verdict import VerdictScreen
from tui.widgets.finding_detail import Evidence
from tui.widgets.findings_pane import FindingsPane
from tui.widgets.record_table import Rows
from tui.widgets.thumbs import Thumbs

Make = Callable[..., MapCapApp]
Press = Callable[..., Awaitable[None]]
Settle = Callable[[Pilot[None]], Awaitable[None]]


def rows(app: MapCapApp, name: str = "#findings") -> Any:
    return app.screen.query_one(name, Rows)


def shown(app: MapCapApp, name: str) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(app.screen.query_one(name, Static).content)
    return capture.get()


def kinds(app: MapCapApp) -> list[str]:
    return [each.finding.kind for each in rows(app).records]


def evidence(app: MapCapApp) -> list[Any]:
    return app.screen.query_one(Evidence).thumbs


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


async def test_findings_of_the_run(app_on: Make, press: Press, settle: Settle) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "f")
        assert isinstance(app.screen, RunFindingsScreen)
        scores = [each.finding.score for each in rows(app).records]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 21 and 0 not in scores, "notes are not on the list"
        assert rows(app).record.class_name == "tabby"
        await press(pilot, "f", "f")
        assert set(kinds(app)) == {"label"}
        assert "5 in 5 classes" in shown(app, "#title")
        await press(pilot, "f")
        assert set(kinds(app)) == {"slice"}
        await press(pilot, "down", "c")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.query_one(TabbedContent).active == "findings-tab"
        assert rows(app).record.finding.kind == "slice"
        await press(pilot, "escape")
        assert isinstance(app.screen, RunFindingsScreen)
        assert rows(app).cursor == 1
        await press(pilot, "F", "F", "F")
        assert kinds(app)[0] == "confusion"
        await press(pilot, "F")
        assert set(kinds(app)) == {"watermark"}


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


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_before_the_audit_one_line_says_what_is_missing(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
    size: tuple[int, int],
) -> None:
    run_id, ids = fill_run(growing, "mini", ["tabby", "lion"], audit=False)
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)

        def line() -> str:
            return " ".join(shown(app, "#audit-line").split())

        assert line() == (
            "no audit yet: run the same `mapcap index` command again, which adds what is missing"
        )
        writes.set_status(growing, run_id, "running")
        writes.begin_stage(growing, run_id, "captions", position=5, total=32, done=8)
        app.poll()
        await settle(pilot)
        assert (
            line()
            == "no audit yet: the job is at captions 8/32; it will appear when that stage finishes"
        )
        writes.finish_stage(growing, run_id, "captions")
        writes.begin_stage(growing, run_id, "audit", position=8, total=2, done=1)
        app.poll()
        await settle(pilot)
        assert line() == "no audit yet: 1 of 2 audit done"
        finding = NewFinding("watermark", "a mark", 0.5, {}, [])
        writes.add_audit(growing, NewAudit(ids[0], "tabby: 1 of 8 correct", [], {}, [], [finding]))
        writes.finish_stage(growing, run_id, "audit")
        app.poll()
        await settle(pilot)
        assert line() == "1 of 8 correct"
        assert kinds(app) == ["watermark"]


async def test_an_audit_made_anew_does_not_move_the_cursor(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    run_id, ids = fill_run(growing, "mini", ["tabby", "lion"])
    images = [image.id for image in queries.images(growing, ids[0])]
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "right")
        title = rows(app).record.finding.title
        findings = [
            NewFinding("word", "a stronger one", 0.9, {}),
            NewFinding("label", title, 0.2, {}, images[:2]),
        ]
        new = NewAudit(ids[0], "tabby: more", [], {}, [], findings)
        writes.add_audit(growing, new)
        writes.begin_stage(growing, run_id, "audit", position=8, total=2, done=1)
        app.poll()
        await settle(pilot)
        assert [each.finding.title for each in rows(app).records] == ["a stronger one", title]
        assert rows(app).record.finding.title == title
        assert [each.image.id for each in evidence(app)] == images[:2]
        assert app.screen.query_one(Evidence).cursor == 1


async def test_a_finding_of_an_older_audit_is_shown_without_details(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    """What a file of format 2 holds after `mapcap upgrade`: a mark, and no printed lines."""
    fill_run(growing, "mini", ["tabby", "lion"])
    with growing.begin() as connection:
        connection.execute(text("UPDATE finding SET kind = 'mark' WHERE kind = 'watermark'"))
        connection.execute(text("UPDATE finding SET plain = '', colour = '', details = '[]'"))
    app = make_app(tmp_path / "growing.db", class_name="tabby", images="half")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "down", "down")
        assert kinds(app) == ["confusion", "label", "slice", "watermark", "confusion"]
        assert shown(app, "#finding").split() == (
            "watermark 6 of 8 have the same lime mark at the top left".split()
        )
        assert len(evidence(app)) > 1
