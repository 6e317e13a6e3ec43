"""The metrics of a run, and the plot of one across the classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import Engine
from textual.app import App, ComposeResult
from textual.widgets import Static

from db.records import Figure
from tests.tui.looking import Make, Press, Settle
from tui.app import MapCapApp, make_app
from tui.screens.metrics import MetricsScreen
from tui.screens.one_class import ClassScreen
from tui.widgets.figure_table import lines_of
from tui.widgets.record_table import Rows
from tui.widgets.scatter import Point, Scatter


def shown(app: MapCapApp, name: str) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(app.screen.query_one(name, Static).content)
    return capture.get().rstrip("\n")


def test_what_stands_beside_a_figure_is_in_its_line() -> None:
    names = [
        *("pointing", "pointing-gain", "pointing-uniform"),
        *("rho-pointing-gain", "rho-pointing-gain-q"),
        *("class-retrieval-top1", "class-retrieval-top1-chance", "straight-gain"),
    ]
    figures = [Figure(name, i / 10, None, None, 5) for i, name in enumerate(names)]
    figures.append(Figure("none", 0.0, None, None, 0))
    pointing, summary, straight = lines_of(figures)
    assert (pointing.name, pointing.plotted, pointing.q) == ("pointing", "pointing-gain", 0.4)
    assert pointing.gain is figures[1]
    assert pointing.chance is figures[2]
    assert pointing.rho is figures[3]
    assert (summary.name, summary.chance, summary.rho) == ("class-retrieval-top1", figures[6], None)
    assert straight.name == "straight-gain"  # there is no `straight`


async def test_figures_and_the_plot_of_one(
    app_on: Make, press: Press, settle: Settle, stored: Any
) -> None:
    app = app_on()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "f")
        assert isinstance(app.screen, MetricsScreen)
        assert "accuracy correlates with pointing (rho 0.60)" in shown(app, "#title")
        table = app.screen.query_one("#figures", Rows)
        assert [line.name for line in table.records] == ["pointing", "sanity-all"]
        # The longest name has its place: what chance gives does not fit beside the plot.
        assert table.render_line(1).text.split() == [
            "pointing", "0.700", "0.600", "to", "0.800", "+0.100", "+0.60", "0.010"
        ]  # fmt: skip
        plot = app.screen.query_one(Scatter)
        assert plot.points[0].name == "tabby"  # the least accurate
        await press(pilot, "n", "n")
        assert shown(app, "#point") == "crane  accuracy 0.50, pointing 0.3"
        await press(pilot, "p")
        assert shown(app, "#point") == "tabby  accuracy 0.12, pointing 0"
        drawn = "\n".join(plot.render_line(y).text for y in range(plot.size.height))
        assert drawn.count("●") == 1
        await press(pilot, "down")
        assert "no class has this metric" in plot.render_line(0).text
        await press(pilot, "s", "s", "up", "n", "y")
        assert app.clipboard.splitlines()[0] == "pointing\t0.7\t0.600 to 0.800"
        await press(pilot, "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.record.name == "tabby"


async def test_one_pane_at_a_time_where_it_is_narrow(
    app_on: Make, press: Press, settle: Settle
) -> None:
    app = app_on()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "f")
        table, plot = app.screen.query_one("#figures"), app.screen.query_one("#plot-side")
        assert (table.display, plot.display) == (True, False)
        await press(pilot, "enter")  # no class is marked
        assert (table.display, plot.display) == (False, True)
        await press(pilot, "t")
        assert (table.display, plot.display) == (True, False)
        assert app.focused is table


async def test_a_run_without_figures_says_how_to_get_them(
    growing: Engine,
    fill_run: Callable[..., tuple[int, list[int]]],
    tmp_path: Path,
    press: Press,
    settle: Settle,
) -> None:
    fill_run(growing, "mini", ["tabby", "lion"])
    fill_run(growing, "poster", ["tabby", "lion"], audit=False)
    app = make_app(tmp_path / "growing.db", images="off")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "ctrl+r", "f")
        assert "no metrics yet: `mapcap evaluate" in shown(app, "#title")
        await press(pilot, "escape", "down", "f")
        assert "pointing" in shown(app, "#title")  # of the run under the cursor
        await press(pilot, "n", "enter")
        assert isinstance(app.screen, ClassScreen)
        assert app.screen.opened.run.preset == "mini"


class PlotApp(App[None]):
    """A plot alone."""

    def __init__(self, points: list[Point]) -> None:
        super().__init__()
        self.points = points

    def compose(self) -> ComposeResult:
        plot = Scatter()
        plot.show(self.points, "\x1b[2J" * 9, "label\n[bold]" * 40)
        yield plot


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    points=st.lists(st.builds(Point, st.text(), numbers, numbers), max_size=12),
    width=st.integers(1, 60),
    height=st.integers(1, 20),
)
@settings(max_examples=15, deadline=None)
async def test_any_points_are_drawn_in_any_space(
    points: list[Point], width: int, height: int
) -> None:
    app = PlotApp(points)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        plot = app.query_one(Scatter)
        for _ in range(3):
            plot.move(1)
            strips = [plot.render_line(y) for y in range(height)]
            assert {strip.cell_length for strip in strips} == {width}
            assert not {"\x1b", "\n"} & set("".join(strip.text for strip in strips))


async def test_points_stand_where_they_belong() -> None:
    corners = [Point("a", 0.0, 5.0), Point("b", 1.0, 7.0)]
    app = PlotApp(corners)
    async with app.run_test(size=(40, 13)) as pilot:
        await pilot.pause()
        lines = [app.query_one(Scatter).render_line(y).text for y in range(13)]
        first, last = lines[1], lines[10]
        assert first.startswith("7 │")
        assert last.startswith("5 │")
        assert first.rstrip()[-1] != "│"
        assert len(first.rstrip()) == 40
        assert last[3] != " "
        assert last[4:].strip() == ""
