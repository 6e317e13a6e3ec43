"""The answer of a terminal that answers so late that the app already runs: it is no typing."""

import re
import time
from typing import Final

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

# As `pictures` asks: perhaps kitty's answer, then what the terminal is. Without the escapes, which
# become keys of several names.
_ANSWER: Final = re.compile(r"(_G[^\\]*\\)?\[\?[0-9;]*c")
_BEGUN: Final = re.compile(r"_?|_G[^\\]*|(_G[^\\]*\\)?(\[(\?[0-9;]*)?)?")
_ESCAPES: Final = ("escape", "circumflex_accent")
# A terminal that says nothing for so long says nothing any more.
_SECONDS: Final = 30.0


class LateAnswer:
    """Holds keys back as long as they spell the answer; lets all others through at once."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _SECONDS
        self._held: list[Message] = []
        self._text = ""

    def pass_on(self, message: Message) -> list[Message]:
        """Return the messages to handle now: those held before, and this one, or none yet."""
        if not isinstance(message, events.Key) or time.monotonic() > self._until:
            return [*self._release(), message]
        self._held.append(message)
        if message.key not in _ESCAPES:
            self._text += message.character or "\0"
        elif message.key == "escape" and len(self._held) == 1:
            # A person's: the answer's own first one comes together with what follows it.
            return self._release()
        if _ANSWER.fullmatch(self._text):
            self._until = 0.0
            self._release()
            return []
        return [] if _BEGUN.fullmatch(self._text) else self._release()

    def _release(self) -> list[Message]:
        held, self._held, self._text = self._held, [], ""
        return held


class PatientDriver(LinuxDriver):
    """The ordinary driver, for a terminal that owes an answer."""

    _late: LateAnswer | None = None

    def process_message(self, message: Message) -> None:
        """Handle a message, unless it belongs to the answer."""
        if self._late is None:
            self._late = LateAnswer()
        for passed in self._late.pass_on(message):
            super().process_message(passed)
