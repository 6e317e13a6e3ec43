"""The findings of the whole run."""

from textual.widgets import TabbedContent

from tests.tui.looking import Make, Press, Settle, kinds, rows, shown
from tui.screens.one_class import ClassScreen
from tui.screens.run_findings import RunFindingsScreen


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
