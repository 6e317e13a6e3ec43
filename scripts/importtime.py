"""What `mapcap browse` loads before its first screen, and how long each package takes.

    python scripts/importtime.py [--json]

Ends with 1 if a package is loaded that browsing must do without.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

_PATH = "from mapcap.cli import make_app; make_app(['browse']); from tui.app import make_app"
# For indexing alone; and what the first screen does not wait for.
NEVER = ("torch", "torchvision", "transformers", "open_clip", "scipy", "safetensors")
LATER = ("sqlalchemy", "numpy", "PIL")
_MOST = 15


def loaded(code: str) -> dict[str, int]:
    """Return the microseconds of each module that a fresh Python loads for some code."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    found = {}
    for line in done.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if len(parts) == 3 and parts[0].strip().isdigit():
            found[parts[2].strip()] = int(parts[0])
    return found


def by_package(modules: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Return the modules and microseconds of each package, the slowest first."""
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for name, own in modules.items():
        count, total = sums[name.split(".")[0]]
        sums[name.split(".")[0]] = (count + 1, total + own)
    return dict(sorted(sums.items(), key=lambda item: -item[1][1]))


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description="What `mapcap browse` loads, and how long.")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    modules = loaded(_PATH)
    packages = by_package(modules)
    unwanted = [name for name in (*NEVER, *LATER) if name in packages]
    if options.json:
        print(json.dumps({"total_us": sum(modules.values()), "packages": packages,
                          "unwanted": unwanted}))  # fmt: skip
    else:
        page = Table("package", "modules", "ms", title="Loaded before the first screen")
        for name, (count, own) in list(packages.items())[:_MOST]:
            page.add_row(name, str(count), f"{own / 1000:.1f}")
        page.add_section()
        page.add_row("all", str(len(modules)), f"{sum(modules.values()) / 1000:.1f}")
        console = Console()
        console.print(page)
        console.print(f"Not loaded: {', '.join(n for n in (*NEVER, *LATER) if n not in unwanted)}")
        if unwanted:
            console.print(f"Loaded, and should not be: {', '.join(unwanted)}", style="red")
    sys.exit(1 if unwanted else 0)


if __name__ == "__main__":
    main()
