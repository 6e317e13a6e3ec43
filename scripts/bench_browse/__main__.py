"""How fast `mapcap browse` is on a large store.

    python -m scripts.bench_browse --images 1000000 --file FILE.db

Builds the store unless FILE is there already, then starts the app again and again in a
pseudo-terminal of 120 x 40, presses keys and notes when the screen shows what they ask for. The
bytecode is compiled beforehand, as an installer does, and the file is in the system's cache.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db.engine import open_read
from scripts.bench_browse.terminal import Terminal
from scripts.bench_browse.walk import Figures, Walk

_ROOT = Path(__file__).parents[2]
_BROWSE = "from mapcap.cli import main; main()"


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the app: an ordinary terminal, compiled bytecode, no animation."""
    # A size told by the environment is believed before the pseudo-terminal's own.
    told = ("PYTHON", "COLUMNS", "LINES")
    env = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    return env | {
        "PYTHONPATH": str(_ROOT),
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPYCACHEPREFIX": str(folder / "bench_browse_bytecode"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_ANIMATIONS": "none",
    }


def bare_start(env: dict[str, str], repeats: int) -> float:
    """Return the median seconds that Python takes to do nothing."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(file: Path, starts: int, walks: int) -> tuple[Figures, int]:
    """Start the app `starts` times and walk through it `walks` times; figures in seconds."""
    env = environment(file.parent)
    figures: Figures = {}
    engine = open_read(file)
    bare = bare_start(env, 2 * starts + 5)
    figures["Python alone"] = [bare]
    searched = 0
    command = [sys.executable, "-c", _BROWSE, "browse", str(file), "--images", "half"]
    for number in range(-1, starts + walks):
        terminal = Terminal(command, env)
        try:
            walk = Walk(terminal, engine)
            seconds = walk.start()
            if number < 0:  # compiles the bytecode
                continue
            figures.setdefault("first paint after Python's start", []).append(seconds - bare)
            if number >= starts:
                walk.all()
                searched = walk.searched
        finally:
            terminal.close()
        for name, found in walk.figures.items():
            figures.setdefault(name, []).extend(found)
    return figures, searched


def summary(seconds: list[float]) -> dict[str, float]:
    """Return how many figures there are and, in ms, least, middle, 95th percentile and most."""
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "n": len(ordered),
        "min_ms": round(1000 * ordered[0], 1),
        "p50_ms": round(1000 * statistics.median(ordered), 1),
        "p95_ms": round(1000 * high, 1),
        "max_ms": round(1000 * ordered[-1], 1),
    }


def main() -> None:
    """Build the store if need be, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, help="default: a thousandth of the images")
    parser.add_argument("--file", type=Path, help="the store; default: in the temporary folder")
    parser.add_argument("--starts", type=int, default=9, help="starts that are timed")
    parser.add_argument("--walks", type=int, default=3, help="starts that go on through the app")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.gettempdir())
    file = options.file or folder / f"bench_browse_{options.images}.db"
    if not file.exists():
        from scripts.bench_browse.store import build

        build(file, options.images, options.classes or max(20, options.images // 1000))
    figures, searched = measure(file, options.starts, options.walks)
    rows = {name: summary(seconds) for name, seconds in figures.items()}
    if options.json:
        print(json.dumps({"regions_searched": searched, "figures": rows}, indent=1))
        return
    page = Table("what", "n", "min ms", "p50 ms", "p95 ms", "max ms", title=f"{file.name}")
    for name, row in rows.items():
        page.add_row(name, *(f"{value:,.0f}" if value > 20 else f"{value:g}"
                             for value in row.values()))  # fmt: skip
    console = Console()
    console.print(page)
    console.print(f"Regions like this one: {searched:,} embeddings were compared.")


if __name__ == "__main__":
    main()
