"""Fetch emoji of five painters, check them, and draw those of `emoji.tsv` as cut-outs.

The table says of each in a few words what it is, and of most of which kind; none is of a kept-out
class. Needs npm and the package `resvg-py`, which nothing else here does.
"""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.build_mini.places import Places, parser
from scripts.build_mini.sources import check

SIDE = 160
"""Pixels of a drawing's side."""
TABLE = Path(__file__).with_name("emoji.tsv")


@dataclass(frozen=True)
class Painter:
    """An icon set of Iconify's on npm."""

    name: str
    version: str
    sha256: str

    @property
    def package(self) -> str:
        """The package's name and version."""
        return f"@iconify-json/{self.name}@{self.version}"

    @property
    def archive(self) -> str:
        """The package's file name."""
        return f"iconify-json-{self.name}-{self.version}.tgz"


PAINTERS = (
    # Apache-2.0; CC BY 4.0; CC BY-SA 4.0; MIT; CC BY 4.0.
    Painter("noto", "1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    Painter("twemoji", "1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    Painter(
        "openmoji", "1.2.29", "03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5"
    ),
    Painter(
        "fluent-emoji", "1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"
    ),
    Painter(
        "emojione", "1.2.3", "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"
    ),
)


@dataclass(frozen=True)
class Emoji:
    """A drawing's file, what is said of it, and what kind of thing it is, "" for its own kind."""

    path: Path
    said: str
    kind: str


def read_table() -> list[tuple[str, str, str]]:
    """Read which icons are drawn, what is said of each, and of which kind it is."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return [(icon, said, kind) for icon, said, kind in (line.split("\t") for line in lines)]


def drawn_emoji(folder: Path) -> list[Emoji]:
    """List the drawings that the step left, painter by painter."""
    listed = [
        Emoji(folder / painter.name / f"{icon}.png", said, kind)
        for painter in PAINTERS
        for icon, said, kind in read_table()
    ]
    return [each for each in listed if each.path.is_file()]


def fetch(painter: Painter, archives: Path) -> Path:
    """Download a painter's package into a folder, unless it is there.

    Raises:
        SystemExit: npm cannot get it, or it is not the file whose hash is noted here.
    """
    path = archives / painter.archive
    if not path.is_file():
        command = ["npm", "pack", "--silent", "--pack-destination", str(archives), painter.package]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"npm could not download {painter.package}: see its message above.")
    check(path, painter.sha256)
    return path


def drawings(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Draw a package's icons that the table names: names and PNG files."""
    import resvg_py

    with tarfile.open(archive) as packed:
        file = packed.extractfile("package/icons.json")
        if file is None:
            raise SystemExit(
                f"{archive} has no package/icons.json: is it an icon set of Iconify's?"
            )
        icons = json.load(file)
    for name, _, _ in read_table():
        if (icon := icons["icons"].get(name)) is not None:
            sides = [icon.get(side, icons.get(side, 16)) for side in ("width", "height")]
            svg = (
                '<svg xmlns="http://www.w3.org/2000/svg"'
                ' xmlns:xlink="http://www.w3.org/1999/xlink"'
                f' viewBox="0 0 {sides[0]} {sides[1]}" width="{SIDE}" height="{SIDE}">'
                f"{icon['body']}</svg>"
            )
            yield name, bytes(resvg_py.svg_to_bytes(svg_string=svg))


def main() -> None:
    """Run the step."""
    given = parser(__doc__).parse_args()
    places = Places(given.work)
    archives = given.work / "npm"
    archives.mkdir(exist_ok=True)
    for painter in PAINTERS:
        folder = places.emoji / painter.name
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for name, picture in drawings(fetch(painter, archives)):
            (folder / f"{name}.png").write_bytes(picture)
            count += 1
        print(f"{painter.name}: {count} emoji", flush=True)


if __name__ == "__main__":
    main()
