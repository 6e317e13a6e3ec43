"""What all screens of the browser do alike: ask in a thread, report trouble, refresh, help."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from db.errors import Interrupted
from db.interrupts import Interrupt
from tui.opened import Opened

T = TypeVar("T")


class BrowseScreen(Screen[None]):
    """A screen on an opened store."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back", id="screen.back", tooltip="The screen before"),
    ]
    HELP_TEXT: ClassVar[str] = ""

    @dataclass
    class Answer(Message):
        """What a worker found, and who wants it."""

        group: str
        serial: int
        deliver: Callable[[Any], None]
        value: Any

    @dataclass
    class Trouble(Message):
        """A query failed."""

        text: str

    def __init__(self, opened: Opened) -> None:
        super().__init__()
        self.opened = opened
        self._serials: dict[str, int] = {}
        self._interrupts: dict[str, Interrupt] = {}

    def ask(self, group: str, query: Callable[[], T], deliver: Callable[[T], None]) -> None:
        """Run a query in a thread and deliver its answer.

        A newer query of the group stops the one that runs, within SQLite too, and takes its place.
        """
        serial = self._serials[group] = self._serials.get(group, 0) + 1
        self._stop(group)
        running = self._interrupts[group] = Interrupt()

        def work() -> None:
            try:
                with running:
                    value = query()
            except Interrupted:
                return
            self.post_message(self.Answer(group, serial, deliver, value))

        self.run_worker(
            work, name=group, group=group, exclusive=True, thread=True, exit_on_error=False
        )

    def _stop(self, group: str) -> None:
        running = self._interrupts.pop(group, None)
        if running is not None:
            running.stop()

    def on_unmount(self) -> None:
        """Stop what still runs: nobody waits for it."""
        for group in list(self._interrupts):
            self._stop(group)

    def on_browse_screen_answer(self, message: Answer) -> None:
        """Deliver an answer, unless a newer question was asked meanwhile."""
        if message.serial == self._serials[message.group]:
            message.deliver(message.value)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Turn a failed query into a message."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.post_message(self.Trouble(str(event.worker.error)))

    def reload(self) -> None:
        """Ask again for all that is shown: the file has grown."""

    def on_screen_resume(self) -> None:
        """Catch up with what changed while another screen was in front."""
        if self.is_mounted:
            self.catch_up()

    def catch_up(self) -> None:
        """Show what the screen missed while another was in front."""
        self.reload()

    def action_back(self) -> None:
        """Go to the screen before."""
        self.dismiss()

    def copy(self, text: str) -> None:
        """Put text into the terminal's clipboard (OSC 52)."""
        self.app.copy_to_clipboard(text)
        self.notify("copied", timeout=2, markup=False)
