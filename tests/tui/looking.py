"""What an app shows, read from its screen."""

from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import Console
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import strips_of
from tui.app import MapCapApp
from tui.widgets.finding_detail import Evidence
from tui.widgets.record_table import Rows

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


def lines(app: MapCapApp) -> list[str]:
    return [strip.text for strip in strips_of(app)]


def title(app: MapCapApp) -> str:
    return str(app.screen.query_one("#title", Static).render())
