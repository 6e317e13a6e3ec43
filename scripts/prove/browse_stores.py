"""The app, headless, over damaged and tampered stores: refused in one line, or browsed to the end.

Keys lead through every screen. Nothing ends the app, no cell holds a control character, and every
line is as wide as the screen. A trial is one store.
"""

import asyncio
import random
import re
import traceback
from pathlib import Path

from textual.pilot import Pilot

from db.errors import StoreError
from scripts.prove._calling import TooSlowError, limited_to
from scripts.prove._damaged import damaged_copy, prove_on_a_store
from scripts.prove._tally import Tally
from tui.app import MapCapApp, make_app

_COUNT = 2_000
_SECONDS = 30
_SIZES = ((120, 40), (80, 24), (40, 12))
# Through the classes, a class and its tabs, images, regions, findings, runs, metrics, the matrix.
_KEYS = (
    "down", "enter", "1", "plus", "2", "down", "enter", "escape", "3", "enter", "escape", "4",
    "o", "f", "enter", "n", "o", "enter", "escape", "escape", "5", "down", "enter", "escape",
    "escape", "f", "down", "enter", "escape", "escape", "ctrl+r", "f", "t", "escape", "escape",
    "escape", "m", "escape", "ctrl+f", "a", "enter", "escape", "question_mark", "escape",
)  # fmt: skip
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def main(argv: list[str]) -> int:
    """Browse damaged copies of a store; return 1 if the app did not hold."""
    return prove_on_a_store("browse_stores", __doc__, _COUNT, prove, argv)


def prove(store: Path, place: Path, count: int, seed: int, only: str | None = None) -> int:
    """Browse so many damaged copies of a store."""
    tally = Tally("browse_stores")
    for number in range(seed, seed + count):
        with damaged_copy(store, place, number, only) as (copy, kind, chance):
            fault = _browse(copy, chance)
            if fault:
                tally.failed(kind, number, fault)
            else:
                tally.passed(kind)
    return tally.report(seed)


def _browse(store: Path, chance: random.Random) -> str:
    """Return what went wrong, or nothing."""
    try:
        with limited_to(_SECONDS):
            try:
                app = make_app(store, images="half")
            except StoreError:
                return ""
            return asyncio.run(_walk(app, chance.choice(_SIZES)))
    except TooSlowError:
        return f"over {_SECONDS} s"
    except Exception:
        last = traceback.format_exc().strip().splitlines()
        ours = re.findall(r'File ".*?/((?:db|mapcap|tui)/[^"]*)", line (\d+)', "\n".join(last))
        return f"{last[-1][:200]} ({':'.join(ours[-1]) if ours else '?'})"


async def _rest(app: MapCapApp, pilot: Pilot[None]) -> None:
    """Wait until no worker runs and all messages are handled."""
    await pilot.pause(0)
    while any(worker.is_running for worker in app.workers):
        await asyncio.sleep(0.01)
    await pilot.pause(0)


async def _walk(app: MapCapApp, size: tuple[int, int]) -> str:
    async with app.run_test(size=size) as pilot:
        for key in _KEYS:
            await pilot.press(key)
            await _rest(app, pilot)
            for strip in app.screen._compositor.render_strips():
                steering = _STEERING.search(strip.text)
                if steering or strip.cell_length != size[0]:
                    return f"after {key}: {ascii(strip.text)[:200]}"
    return ""
