"""The confusion matrix of a run, and the way from a cell to its images."""

import numpy as np
from textual.widgets import Static, TabbedContent

from mapcap.runs.confusion_matrix import read_matrix
from tests.tui.looking import Make, Press, Settle
from tui.screens.matrix import MatrixScreen
from tui.screens.one_class import ClassScreen
from tui.widgets.matrix import Matrix
from tui.widgets.thumbs import Thumbs


async def test_from_the_worst_cell_to_its_images(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "m")
        assert isinstance(app.screen, MatrixScreen)
        assert str(app.screen.query_one("#cell", Static).content) == (
            "tabby: 7 of 8 predicted as Egyptian cat"
        )
        found = read_matrix(app.opened.engine, app.opened.run.id, 40)
        names = [record.name for record in found.classes]
        # Lion, too: it has no errors, but others are predicted as it.
        assert sorted(names) == sorted(
            ["tabby", "Egyptian cat", "lion", "crane", "school bus", "teapot"]
        )
        assert found.counts.sum() == 48
        assert [found.counts[i, i] for i in range(6)] == [r.correct for r in found.classes]
        # Each is predicted as the next one only: they form a chain.
        steps = np.abs(np.diff([names.index(n) for n in ("tabby", "Egyptian cat", "lion")]))
        assert steps.tolist() == [1, 1]
        await press(pilot, "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.record.name == "tabby"
        assert app.screen.query_one(TabbedContent).active == "images"
        thumbs = app.screen.query_one(Thumbs)
        assert {each.image.predicted_name for each in thumbs.thumbs} == {"Egyptian cat"}
        assert len(thumbs.thumbs) == 7
        await press(pilot, "escape")
        assert isinstance(app.screen, MatrixScreen)


async def test_where_it_is_narrow_the_classes_with_most_errors_stay(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(30, 12)) as pilot:
        await settle(pilot)
        await press(pilot, "m")
        matrix = app.screen.query_one(Matrix)
        assert matrix.fits == 4
        found = read_matrix(app.opened.engine, app.opened.run.id, matrix.fits)
        assert (len(found.classes), found.left) == (4, 2)
        assert {"tabby", "Egyptian cat"} <= {record.name for record in found.classes}
        assert "2 others are left out" in str(app.screen.query_one("#title", Static).content)
        await press(pilot, *["right"] * 9, *["down"] * 9)
        assert (matrix.row, matrix.column) == (3, 3)
