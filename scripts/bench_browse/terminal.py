"""A program in a pseudo-terminal, what it has painted so far, and when it painted it."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.cells import get_character_cell_size

_PIECE: Final = re.compile(
    r"\x1b\[(?P<arguments>[0-9;:<=>?]*)[ -/]*(?P<command>[@-~])"
    r"|\x1b[\]P_^X].*?(?:\x1b\\|\x07)|\x1b[@-OQ-WYZ\\a-z=>78]|\r|\n|\x1b|[^\x1b\r\n]+",
    re.DOTALL,
)
# Shorter than the half second in which the cursor of an input box blinks.
_PAUSE: Final = 0.2
_LONGEST: Final = 5.0


class Screen:
    """The cells of a terminal as far as a full-screen program uses it: places, text, backgrounds.

    What is not understood is skipped: it moves nothing.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.inks = [[""] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._ink = ""
        self._unread = ""

    def feed(self, text: str) -> None:
        """Paint more output; what ends within an escape sequence waits for the rest."""
        text = self._unread + text
        cut = text.rfind("\x1b", max(0, len(text) - 64))
        last = _PIECE.match(text, cut) if cut >= 0 else None
        whole = last is None or last[0] != "\x1b"
        text, self._unread = (text, "") if whole else (text[:cut], text[cut:])
        for piece in _PIECE.finditer(text):
            command = piece["command"]
            if command is not None:
                self._obey(command, piece["arguments"])
            elif piece[0] == "\r":
                self._x = 0
            elif piece[0] == "\n":
                self._y = min(self._y + 1, self.rows - 1)
            elif piece[0][0] != "\x1b":
                self._write(piece[0])

    def _obey(self, command: str, arguments: str) -> None:
        if arguments[:1] in ("<", "=", ">", "?"):
            return
        numbers = [int(each) if each.isdigit() else 0 for each in arguments.split(";")]
        if command == "H":
            self._y = min(max(numbers[0], 1), self.rows) - 1
            self._x = min(max([*numbers, 1][1], 1), self.columns) - 1
        elif command == "m":
            self._ink = arguments
        elif command == "J":
            for row in self.cells:
                row[:] = [" "] * self.columns

    def _write(self, text: str) -> None:
        for char in text:
            if self._x < self.columns:
                self.cells[self._y][self._x] = char
                self.inks[self._y][self._x] = self._ink
                self._x += get_character_cell_size(char)

    def line(self, y: int, first: int = 0, last: int | None = None) -> str:
        """Return part of a line."""
        return "".join(self.cells[y][first:last])

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.line(y) for y in range(self.rows))


class Late(Exception):
    """What was waited for did not appear; the message shows the screen."""


class Terminal:
    """A running program; `screen` is what it shows."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self.screen = Screen(columns, rows)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], list(command), env)

    def press(self, keys: str) -> float:
        """Send keys; returns when."""
        began = time.perf_counter()
        os.write(self._fd, keys.encode())
        return began

    def wait(self, shown: Callable[[Screen], bool], since: float, limit: float = 60.0) -> float:
        """Return the seconds from `since` until the screen was painted so; raises Late.

        Its message has the screen, and what the program's threads were doing.
        """
        painted = since
        while not shown(self.screen):
            chunks = self._read(since + limit - time.perf_counter())
            if not chunks:
                raise Late(f"not shown within {limit:.0f} s:\n{self.screen.text}\n{self._stacks()}")
            painted = self._paint(chunks)
        return painted - since

    def _stacks(self) -> str:
        """End the program so that it tells what its threads were doing (PYTHONFAULTHANDLER)."""
        os.kill(self.pid, signal.SIGABRT)
        return "".join(text for _, text in self._read(5.0))

    def painted(self, since: float) -> float | None:
        """Return the seconds from `since` until something is painted; None if nothing is."""
        chunks = self._read(_LONGEST)
        return self._paint(chunks) - since if chunks else None

    def settle(self, since: float, pause: float = _PAUSE) -> float:
        """Return the seconds from `since` until the last paint before a pause, 0 for none."""
        painted = since
        # A blinking cursor paints for good.
        end = time.perf_counter() + _LONGEST
        while time.perf_counter() < end and (chunks := self._read(pause)):
            painted = self._paint(chunks)
        return painted - since

    def _paint(self, chunks: list[tuple[float, str]]) -> float:
        for _, text in chunks:
            self.screen.feed(text)
        return chunks[-1][0]

    def _read(self, patience: float) -> list[tuple[float, str]]:
        """Read all there is, with its times: reading must not wait for painting."""
        chunks: list[tuple[float, str]] = []
        while select.select([self._fd], [], [], 0.0 if chunks else max(0.0, patience))[0]:
            try:
                chunk = os.read(self._fd, 65536)
            except OSError:  # the program has ended
                break
            if not chunk:
                break
            chunks.append((time.perf_counter(), self._decoder.decode(chunk)))
        return chunks

    def close(self) -> None:
        """End the program."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)
