"""The pictures of the app in README, made from a real store.

    python -m scripts.planted bed && mapcap index bed --db planted.db
    python -m scripts.screenshots planted.db --out docs

writes `docs/screenshots/NAME.svg`, and NAME.png beside it where rsvg-convert is installed. The
store is only read. Its photos are published with it: those of the test bed are made here, and a
class of them fails for a reason that can be seen.
"""

import argparse
import asyncio
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from PIL import Image
from textual.pilot import Pilot

from tui.app import make_app

_SIZE: Final = (120, 36)
_COLOURS: Final = 128
# Of Rich's SVG export: the width of a cell, and how far its top is above the baseline of its text.
_CELL: Final = 12.2
_ASCENT: Final = 18.5
_FONTS: Final = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace"
# Half a line, a quarter of a cell, half a cell, each a little larger so that no gap is left; and
# where they stand in each block, in halves of a cell.
_SHAPES: Final = {"h": (12.3, 12.3), "q": (6.2, 12.3), "v": (6.2, 24.5)}
_PARTS: Final = {
    "▘": (("q", 0, 0),),
    "▝": (("q", 1, 0),),
    "▀": (("h", 0, 0),),
    "▖": (("q", 0, 1),),
    "▌": (("v", 0, 0),),
    "▞": (("q", 1, 0), ("q", 0, 1)),
    "▛": (("h", 0, 0), ("q", 0, 1)),
}
# Keys from the first screen, whose cursor stands on the worst class.
WALKS: Final = {
    "classes": (),
    "findings": ("enter", "down"),
    "image": ("enter", "4", "f", "enter"),
}


async def _rest(pilot: Pilot[None]) -> None:
    """Wait until all that was asked for is shown."""
    for _ in range(3):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def shot(store: Path, keys: Sequence[str], verdicts: Path) -> str:
    """Return what the app shows after some keys, as SVG."""
    app = make_app(store, images="half", verdicts=verdicts)
    async with app.run_test(size=_SIZE) as pilot:
        await _rest(pilot)
        for key in keys:
            await pilot.press(key)
            await _rest(pilot)
        return published(app.export_screenshot(title=f"mapcap browse {store.name}"))


def published(svg: str) -> str:
    """Return an SVG that needs no network and keeps its spaces in every reader.

    Textual's export asks a server for its font, which a page that shows the file as a picture
    refuses; the lengths of all texts are in the file, so that another font fits as well.
    """
    svg = re.sub(r"@font-face\s*\{[^}]*\}|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", _FONTS).replace("Fira Code", _FONTS)
    # librsvg takes leading spaces away even where they are no-break spaces.
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    return _shortened(svg)


def _shortened(svg: str) -> str:
    """Leave out what is the same at each of the thousands of cells of a picture."""
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    svg = svg.replace(' shape-rendering="crispEdges"', "")
    svg = svg.replace("<style>", "<style>rect { shape-rendering: crispEdges }", 1)
    text = r'<text class="(\S+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([▘▝▀▖▌▞▛]+)</text>'
    svg = re.sub(text, _blocks, svg)
    shapes = "".join(
        f'<rect id="{name}" width="{width}" height="{height}"/>'
        for name, (width, height) in _SHAPES.items()
    )
    svg = svg.replace("<style>", f"<defs>{shapes}</defs><style>", 1)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def _blocks(text: re.Match[str]) -> str:
    """Return blocks as rectangles: not every font has them fill their part of the line."""
    style, left, baseline, blocks = text.groups()
    drawn = []
    for i, block in enumerate(blocks):
        for shape, across, down in _PARTS[block]:
            x = float(left) + (i + across / 2) * _CELL
            y = float(baseline) - _ASCENT + down * _CELL
            drawn.append(f'<use href="#{shape}" class="{style}" x="{x:.1f}" y="{y:.1f}"/>')
    return "".join(drawn)


def rendered(file: Path, convert: str) -> None:
    """Write an SVG file as PNG beside it, in few colours: half the size, and none is missed."""
    png = file.with_suffix(".png")
    subprocess.run([convert, "-o", str(png), str(file)], check=True)
    with Image.open(png) as drawn:
        few = drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(png, optimize=True)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--out", type=Path, default=Path("docs"), metavar="DIR")
    options = parser.parse_args()
    folder = options.out / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    convert = shutil.which("rsvg-convert")
    with TemporaryDirectory() as empty:
        for name, keys in WALKS.items():
            file = folder / f"{name}.svg"
            file.write_text(asyncio.run(shot(options.db, keys, Path(empty) / "none.sqlite")))
            if convert is not None:
                rendered(file, convert)
    for file in sorted(folder.iterdir()):
        print(f"{file}  {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
