"""The app in a real pseudo-terminal: what it paints, and terminals that answer late or never."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.geometry import Size

from scripts.bench_browse.__main__ import environment
from scripts.bench_browse.terminal import Screen, Terminal
from tui.terminal_reply import LateAnswer

KITTY = "\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c"
BROWSE = "from mapcap.cli import main; main()"


class Answering(Terminal):
    """A terminal that answers so many seconds after it was asked what it can draw, or never."""

    def __init__(self, command: list[str], env: dict[str, str], delay: float | None) -> None:
        super().__init__(command, env, 100, 30)
        self._delay = delay
        self._due: float | None = None
        self.answered = delay is None

    def _read(self, patience: float) -> list[tuple[float, str]]:
        end = time.perf_counter() + patience
        while True:
            chunks = super()._read(min(0.02, max(0.0, end - time.perf_counter())))
            if self._delay is not None and any("\x1b[c" in text for _, text in chunks):
                self._due = time.perf_counter() + self._delay
            if self._due is not None and time.perf_counter() >= self._due:
                self.press(KITTY)
                self._due, self.answered = None, True
            if chunks or time.perf_counter() >= end:
                return chunks


@pytest.mark.parametrize("delay", [0.5, 1.5, None])
def test_a_late_answer_is_no_junk_and_no_key(stored: Any, tmp_path: Path, delay: float) -> None:
    command = [sys.executable, "-c", BROWSE, "browse", str(stored.path),
               "--verdicts", str(stored.verdicts)]  # fmt: skip
    terminal = Answering(command, environment(tmp_path), delay)
    try:
        terminal.wait(lambda s: "Egyptian cat" in s.text, terminal.began, 60)
        while not terminal.answered:
            terminal.settle(0, pause=0.3)
        terminal.settle(0, pause=0.6)
        screen = terminal.screen
        assert "tabby" in screen.line(2)
        for junk in ("Gi=31", "62;4", "[?", "Keys of this screen", "closes this page"):
            assert junk not in screen.text
        # It still listens, and to keys that the answer begins with, too.
        terminal.press("/")
        terminal.wait(lambda s: "words in the name" in s.text, time.perf_counter(), 30)
        terminal.settle(0)
        terminal.press("[?l")
        terminal.wait(lambda s: "[?l" in s.text, time.perf_counter(), 30)
        terminal.press("\x7f" * 3)
        terminal.wait(lambda s: "words in the name" in s.text, time.perf_counter(), 30)
        terminal.press("lion")
        terminal.wait(lambda s: "lion" in s.line(2), time.perf_counter(), 30)
    finally:
        terminal.close()


def keys(text: str) -> list[events.Key]:
    return [
        events.Key("escape" if char == "\x1b" else char, None if char == "\x1b" else char)
        for char in text
    ]


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("_Gi=31;OK\\[?62;4;22cj", "j"),
        ("[?1;2c", ""),
        ("abc", "abc"),
        ("[x", "[x"),
        ("_Gx[y", "_Gx[y"),
        ("[?1;2c[?1;2c", "[?1;2c"),  # it comes once
    ],
)
def test_only_the_answer_is_held_back(typed: str, left: str) -> None:
    late = LateAnswer()
    passed = [each for key in keys(typed) for each in late.pass_on(key)]
    passed += late.pass_on(events.Resize(Size(1, 1), Size(1, 1)))
    assert "".join(str(each.character) for each in passed if isinstance(each, events.Key)) == left


def test_escape_passes_at_once() -> None:
    assert len(LateAnswer().pass_on(keys("\x1b")[0])) == 1


def test_the_screen_follows_the_output() -> None:
    screen = Screen(10, 3)
    for part in (
        "\x1b[?1049h\x1b[2;3",
        "Hab\x1b[48;2;1;2",
        ";3mc\x1b[0m漢d\r\nx",
        "\x1b_Gjunk\x1b\\y",
    ):
        screen.feed(part)
    assert [screen.line(y).rstrip() for y in range(3)] == ["", "  abc漢 d", "xy"]
    assert screen.inks[1][4] == "48;2;1;2;3"
    assert screen.inks[1][5] == "0"
    screen.feed("\x1b[2J")
    assert not screen.text.strip()
