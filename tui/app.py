"""The app: opens a store, shows its classes, and keeps an eye on whether the file grows."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, get_args

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState, get_current_worker

from db import queries
from db.engine import open_read
from db.errors import StoreError
from db.records import ClassName, Run
from db.text import clean
from db.verdicts import beside
from tui.opened import Marks, Opened
from tui.pictures import MODES, Mode, picture_type
from tui.screens.base import BrowseScreen
from tui.screens.classes import ClassesScreen
from tui.screens.help import HelpScreen
from tui.screens.one_class import ClassScreen
from tui.screens.runs import RunsScreen
from tui.screens.search import SearchScreen

_PULSE_SECONDS = 2.0


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
        Binding("q", "quit", "Quit", show=False, id="app.quit", tooltip="Leave MapCap"),
    ]

    def __init__(self, opened: Opened, start: ClassName | None = None) -> None:
        super().__init__()
        self.opened = opened
        self._start = start
        self._pulse: tuple[object, ...] | None = None
        self._trouble = ""

    def on_mount(self) -> None:
        """Show the first screen and begin to watch the file."""
        self.push_screen(ClassesScreen(self.opened))
        if self._start is not None:
            self.push_screen(ClassScreen(self.opened, self._start))
        self._look()
        self.set_interval(_PULSE_SECONDS, self._look)

    def _look(self) -> None:
        opened = self.opened

        def work() -> None:
            found = (opened.pulse(), opened.read_marks())
            if not get_current_worker().is_cancelled:
                self.call_from_thread(self._looked, opened, *found)

        self.run_worker(work, group="pulse", exclusive=True, thread=True, exit_on_error=False)

    def _looked(self, opened: Opened, pulse: tuple[object, ...], marks: Marks) -> None:
        known = self._pulse, self.opened.marks
        self._trouble = ""
        if opened is not self.opened or known == (pulse, marks):
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
        old = self.opened
        self.opened = Opened(old.path, old.engine, run, old.verdicts, old.picture)
        self._pulse = None
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(ClassesScreen(self.opened))
        self._look()

    def on_runs_screen_switched(self, message: RunsScreen.Switched) -> None:
        """Look at the run that was chosen."""
        self.switch(message.run)

    def action_help(self) -> None:
        """Show the keys of this screen."""
        if isinstance(self.screen, BrowseScreen):
            self.push_screen(HelpScreen(self.screen.HELP_TEXT, self.screen.active_bindings))

    def action_search(self) -> None:
        """Search captions, classes and paths."""
        if not isinstance(self.screen, SearchScreen):
            self.push_screen(SearchScreen(self.opened))

    def action_runs(self) -> None:
        """List the runs of the file."""
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
        """Offer our own commands in the palette beside Textual's."""
        yield from super().get_system_commands(screen)
        yield SystemCommand("Search", "Search captions, classes and paths", self.action_search)
        yield SystemCommand("Runs", "Switch to another run, compare two", self.action_runs)


def make_app(
    db_path: Path | str,
    *,
    run: int | None = None,
    class_name: str | None = None,
    images: str = "auto",
    verdicts: Path | str | None = None,
) -> MapCapApp:
    """Open a store and return the app on it, for the command line and for tests.

    Nothing is drawn yet. `run` is a run's number (default: the one that began last), `class_name`
    a class to begin with, `images` one of auto, kitty, sixel, half, off, `verdicts` the file of
    verdicts (default: beside the store). StoreError says what is wrong and what to do.
    """
    if images not in MODES:
        raise StoreError(f"--images is one of {', '.join(MODES)}, not {images}")
    mode: Mode = next(known for known in get_args(Mode) if known == images)
    path = Path(db_path)
    engine = open_read(path)
    chosen = queries.latest_run(engine) if run is None else queries.run(engine, run)
    start = None if class_name is None else queries.class_by_name(engine, chosen.id, class_name)
    sidecar = beside(path) if verdicts is None else Path(verdicts)
    opened = Opened(path, engine, chosen, sidecar, picture_type(mode))
    opened.marks = opened.read_marks()
    # Reads one page of classes now: a file that lacks tables is refused before the screen is.
    queries.search_classes(engine, chosen.id, "", limit=1)
    return MapCapApp(opened, start)
