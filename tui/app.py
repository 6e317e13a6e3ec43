"""The app: opens a store, shows its classes, and keeps an eye on whether the file grows."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from time import monotonic
from typing import ClassVar, get_args

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, InputEvent
from textual.screen import Screen
from textual.worker import Worker, WorkerState, get_current_worker

from db import queries
from db.choice import Choice, chosen_run
from db.errors import StoreError
from db.first_paint import Glance, glance
from db.queries import loading
from db.records import ClassName, Run
from db.verdicts import beside
from mapcap.text import clean
from tui import screens
from tui.navigation import (
    Navigation,
    OpenApart,
    OpenCaption,
    OpenClass,
    OpenComparison,
    OpenFinding,
    OpenImage,
    OpenMatrix,
    OpenMetrics,
    OpenRunFindings,
    OpenSimilar,
    OpenVerdict,
    SwitchRun,
)
from tui.opened import Marks, Opened, Pulse, pulse_of
from tui.pictures import MODES, Mode, coarse, picture_type
from tui.screens.base import BrowseScreen
from tui.screens.classes import ClassesScreen
from tui.terminal_reply import PatientDriver

_PULSE_SECONDS = 2.0
_IDLE_SECONDS = 1.0
_GARBAGE = (10_000, 100, 10)
"""Python's thresholds: all is looked through only after millions of objects, else when idle."""
_FEW_COLOURS = (
    "Pictures are drawn in 256 colours here. If your terminal has true colour: "
    "export COLORTERM=truecolor, or mapcap browse --colors truecolor."
)


class MapCapApp(App[None]):
    """Browse one store; made by `make_app`."""

    TITLE = "MapCap"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Keys of this screen"),
        Binding("ctrl+f", "search", "Search", id="app.search", tooltip="Search the whole run"),
        Binding("ctrl+r", "runs", "Runs", id="app.runs", tooltip="Runs: switch, compare"),
        Binding(
            "ctrl+s",
            "picture",
            "Screenshot",
            show=False,
            id="app.screenshot",
            tooltip="Save what is shown as SVG in the current folder",
        ),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave MapCap"),
    ]

    def __init__(
        self,
        opened: Opened,
        snapshot: Glance,
        start: ClassName | None = None,
        driver: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver)
        self.opened = opened
        self._glance = snapshot
        self._start = start
        self._pulse: Pulse | None = pulse_of(snapshot.run, snapshot.stages)
        self._trouble = ""
        self._warned = False
        self._touched = 0.0

    def get_default_screen(self) -> ClassesScreen:
        """Begin with the classes, without an empty screen below them."""
        return ClassesScreen(self.opened, self._glance)

    def on_mount(self) -> None:
        """Begin to watch the file."""
        if self._start is not None:
            self.post_message(OpenClass(self.opened, self._start))
        self.set_interval(_PULSE_SECONDS, self.poll)
        self.set_interval(_IDLE_SECONDS, self._tidy)
        self.call_after_refresh(self.run_worker, _load, thread=True, exit_on_error=False)

    async def on_event(self, event: Event) -> None:
        """Note when a key was pressed last."""
        if isinstance(event, InputEvent):
            self._touched = monotonic()
        await super().on_event(event)

    def _tidy(self) -> None:
        """Collect garbage while nobody waits: after some pages it takes a tenth of a second."""
        if gc.isenabled() and gc.get_count()[1] and monotonic() - self._touched > _IDLE_SECONDS:
            gc.collect()

    def poll(self) -> None:
        """Read the run's state and the verdicts; the screen follows if they are not as before."""
        opened = self.opened

        def work() -> None:
            state = (opened.pulse(), opened.read_marks())
            if not get_current_worker().is_cancelled:
                self.call_from_thread(self._follow, opened, *state)

        self.run_worker(work, group="pulse", exclusive=True, thread=True, exit_on_error=False)

    def _follow(self, opened: Opened, pulse: Pulse, marks: Marks) -> None:
        previous = self._pulse, self.opened.marks
        self._trouble = ""
        if opened is not self.opened or previous == (pulse, marks):
            return
        first, self._pulse = self._pulse is None, pulse
        self.opened.marks = marks
        if isinstance(self.screen, BrowseScreen) and not (first and not marks):
            self.screen.reload()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell that the file cannot be watched any more."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._report(str(event.worker.error))

    def on_browse_screen_trouble(self, message: BrowseScreen.Trouble) -> None:
        """Tell that a query failed."""
        self._report(message.text)

    def _report(self, text: str) -> None:
        """Show an error once, not at every look at the file."""
        if text != self._trouble:
            self._trouble = text
            self.notify(clean(text[:500]), severity="error", timeout=10, markup=False)

    def switch(self, run: Run) -> None:
        """Look at another run of the file."""
        self.opened = replace(self.opened, run=run, marks={}, newer=None)
        self._pulse = None
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if isinstance(self.screen, ClassesScreen):
            self.screen.turn_to(self.opened)
        self.poll()

    @on(Navigation)
    def lead(self, message: Navigation) -> None:
        """Show the screen that another one leads to."""
        if isinstance(message, SwitchRun):
            self.switch(message.run)
            return
        self.push_screen(screen_for(message))
        if not self._warned and coarse(self, self.opened.picture):
            self._warned = True
            self.notify(_FEW_COLOURS, timeout=12, markup=False)

    def action_help(self) -> None:
        """Show the keys of this screen."""
        if isinstance(self.screen, BrowseScreen):
            with loading:
                from tui.screens.help import HelpScreen

            text = self.screen.HELP_TEXT
            if coarse(self, self.opened.picture):
                text = f"{text}\n\n{_FEW_COLOURS}"
            self.push_screen(HelpScreen(text, self.screen.active_bindings))

    def action_search(self) -> None:
        """Search captions, classes and paths."""
        with loading:
            from tui.screens.search import SearchScreen

        if not isinstance(self.screen, SearchScreen):
            self.push_screen(SearchScreen(self.opened))

    def action_runs(self) -> None:
        """List the runs of the file."""
        with loading:
            from tui.screens.runs import RunsScreen

        if not isinstance(self.screen, RunsScreen):
            self.push_screen(RunsScreen(self.opened))

    def action_picture(self) -> None:
        """Save what is shown as an SVG file."""
        try:
            name = self.save_screenshot()
        except OSError as error:
            self._report(f"no screenshot could be saved: {error}")
        else:
            self.notify(f"saved {clean(name)}", markup=False)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer what the keys of the screen do in the palette, beside Textual's commands."""
        yield from super().get_system_commands(screen)
        bindings = {active.binding.id: active for active in screen.active_bindings.values()}
        for active in bindings.values():
            binding = active.binding
            if binding.id is not None and binding.tooltip and active.enabled:  # ours
                run = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(binding.tooltip, f"{binding.description}: {binding.key}", run)


def make_app(
    db_path: Path | str,
    *,
    run: int | None = None,
    class_name: str | None = None,
    images: str = "auto",
    verdicts: Path | str | None = None,
    meaning: Callable[[str], str] = str,
) -> MapCapApp:
    """Open a store and return the app on it, for the command line and for tests.

    Nothing is drawn yet. `run` is a run's number (default: the newest finished one), `class_name`
    a class to begin with, `images` one of auto, kitty, sixel, half, off, `verdicts` the file of
    verdicts (default: beside the store), `meaning` what a metric says, by its name.
    StoreError says what is wrong and what to do.
    """
    if images not in MODES:
        raise StoreError(f"--images is one of {', '.join(MODES)}, not {images}")
    mode: Mode = next(candidate for candidate in get_args(Mode) if candidate == images)
    path = Path(db_path)
    # A file that lacks tables is refused now, before the screen is taken over.
    choice = chosen_run(path) if run is None else Choice(run, None)
    snapshot = glance(path, choice.run_id)
    sidecar = beside(path) if verdicts is None else Path(verdicts)
    if verdicts is not None and not sidecar.exists() and not sidecar.parent.is_dir():
        raise StoreError(f"--verdicts {sidecar}: there is no folder {sidecar.parent}: make it")
    picture, owed = picture_type(mode)
    opened = Opened(path, snapshot.run, sidecar, picture, meaning, newer=choice.newer)
    opened.marks = opened.read_marks()
    start = None
    if class_name is not None:
        try:
            start = queries.class_by_name(opened.engine, snapshot.run.id, class_name)
        except StoreError as error:
            raise StoreError(f"--class: {error}") from error
    return MapCapApp(opened, snapshot, start, PatientDriver if owed else None)


def screen_for(message: Navigation) -> BrowseScreen:
    """Return the screen that a message asks for; the only place that makes one for another."""
    with loading:
        from tui.screens import (
            apart,
            compare,
            evidence,
            matrix,
            metrics,
            neighbours,
            one_class,
            one_image,
            places,
            run_findings,
            verdict,
        )

    opened = message.opened
    match message:
        case OpenClass(record=record, finding=finding, wrong_as=wrong_as):
            return one_class.ClassScreen(opened, record, finding, wrong_as)
        case OpenImage(image_id=image_id, among=among):
            return one_image.ImageScreen(opened, image_id, among)
        case OpenCaption(caption_ids=ids, text=text, class_id=class_id):
            return places.PlacesScreen(opened, ids, text, class_id)
        case OpenSimilar(region=region):
            return neighbours.NeighboursScreen(opened, region)
        case OpenFinding(finding=finding, images=True):
            return evidence.FindingImagesScreen(opened, finding)
        case OpenFinding(finding=finding):
            return evidence.FindingRegionsScreen(opened, finding)
        case OpenVerdict(kind=kind, names=names, shown=shown, offered=offered, title=title):
            return verdict.VerdictScreen(opened, kind, names, shown, offered, title)
        case OpenRunFindings():
            return run_findings.RunFindingsScreen(opened)
        case OpenComparison(other=other):
            return compare.CompareScreen(opened, other)
        case OpenApart(older=older, newer=newer, pair=pair):
            return apart.ApartScreen(opened, older, newer, pair)
        case OpenMatrix():
            return matrix.MatrixScreen(opened)
        case OpenMetrics():
            return metrics.MetricsScreen(opened)
    raise AssertionError(f"no screen for {message}")


def _load() -> None:
    """Load the other screens and what reads pictures: the first keys would wait for them."""
    with loading:
        from tui.screens import one_class, runs, search  # noqa: F401
    for each in iter_modules(screens.__path__):
        with loading:
            import_module(f"{screens.__name__}.{each.name}")
    with loading:
        from PIL import Image

        Image.init()
    _freeze()
    gc.enable()  # `mapcap browse` starts without


@cache
def _freeze() -> None:
    """Keep what is loaded by now from being looked through again.

    Once a process: what an app before this one has left must be collected, not kept.
    """
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
