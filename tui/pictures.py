"""How pictures get onto the terminal: kitty, sixel or half-blocks, decided before the app runs."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from textual.widget import Widget

from tui.widgets.block_picture import HalfPicture, NoPicture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from textual.app import App

Protocol = Literal["kitty", "sixel", "half"]
Mode = Literal["auto", "kitty", "sixel", "half", "off"]
MODES: Final[tuple[str, ...]] = get_args(Mode)

# Does it know kitty's protocol? Then: what are you? Every terminal answers the second question,
# so that its answer ends the wait.
_QUESTION: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
_ATTRIBUTES: Final = re.compile(rb"\x1b\[\?([0-9;]*)c")
_PATIENCE: Final = 1.0
# textual-image asks again while it is imported, and waits 0.1 s for each answer.
_QUICK: Final = 0.08


def picture_type(mode: Mode) -> tuple[type[Widget], bool]:
    """Return the widget that draws pictures, and whether the terminal still owes an answer.

    The widget has an attribute `image` (PIL or None). With `auto` the terminal is asked once,
    which must happen before the app runs. A terminal that does not answer, or too slowly for
    pictures, gets half-blocks.
    """
    chosen, owed = detect() if mode == "auto" else (mode, False)
    if chosen == "off":
        return NoPicture, False
    if chosen == "half":
        return HalfPicture, owed
    # textual-image writes to the terminal while it is imported: only if it will be used.
    from textual_image.widget import SixelImage, TGPImage

    widget: type[Widget] = TGPImage if chosen == "kitty" else SixelImage
    return widget, False


def coarse(app: App[Any], picture: type[Widget]) -> bool:
    """Whether pictures are drawn in cells of few colours, which the terminal may not have to be."""
    return picture is HalfPicture and app.console.color_system != "truecolor"


def show(widget: Any, picture: Picture | None) -> None:
    """Give a picture widget its picture."""
    widget.image = picture


def detect() -> tuple[Protocol, bool]:
    """Ask the terminal which pictures it can draw; True if its answer may still come."""
    if not (sys.__stdin__ and sys.__stdout__):
        return "half", False
    if not (sys.__stdin__.isatty() and sys.__stdout__.isatty()):
        return "half", False
    began = time.monotonic()
    answer = _ask(sys.__stdin__.fileno(), sys.__stdout__.fileno())
    if time.monotonic() - began > _QUICK:
        return "half", not _ATTRIBUTES.search(answer)
    return understood(answer), False


def understood(answer: bytes) -> Protocol:
    """Read a terminal's answer to the two questions."""
    attributes = _ATTRIBUTES.search(answer)
    if b"\x1b_Gi=31;OK" in answer:
        return "kitty"
    if attributes is not None and b"4" in attributes.group(1).split(b";"):
        return "sixel"
    return "half"


def _ask(stdin: int, stdout: int) -> bytes:
    """Send the question and return what comes back until the second answer or `_PATIENCE`."""
    before = termios.tcgetattr(stdin)
    answer = b""
    try:
        tty.setcbreak(stdin, termios.TCSANOW)
        os.write(stdout, _QUESTION)
        end = time.monotonic() + _PATIENCE
        while not _ATTRIBUTES.search(answer):
            ready, _, _ = select.select([stdin], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                break
            answer += os.read(stdin, 1024)
    finally:
        # What came too late must not be read as keys.
        termios.tcsetattr(stdin, termios.TCSAFLUSH, before)
    return answer
