"""Make the cut-outs of the planted test bed from Tux Paint's stamps: trimmed, small, WebP.

Run `python -m scripts.build_sample.cutouts --stamps DIR`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from scripts.build_sample.render import write_table
from scripts.planted.casts import CASTS, cutouts_path
from scripts.rendering.compose import load_cutout

LONGEST = 224
QUALITY = 90

STAMPS = {
    "binoculars": "hobbies/binoculars.png",
    "candle": "seasonal/candle.png",
    "cep": "plants/mushrooms/cep.png",
    "cep-1": "plants/mushrooms/cep-1.png",
    "cep-2": "plants/mushrooms/cep-2.png",
    "elephant": "animals/mammals/elephant.png",
    "magellanic-penguin": "animals/birds/magellanic_penguin.png",
    "mandarine": "food/fruit/mandarine.png",
    "mushroom": "food/vegetables/mushroom.png",
    "orange": "food/fruit/orange.png",
    "orange-seville": "food/fruit/orange_seville.png",
    "penguin": "animals/birds/penguin.png",
    "pig": "animals/mammals/pig.png",
    "sedan": "vehicles/auto/sedan.png",
    "sportscar2": "vehicles/auto/sportscar2.png",
    "teapot": "household/dishes/teapot.png",
    "wildboar": "animals/mammals/wildboar.png",
}
"""The stamp behind each cut-out; none is under the GFDL or Creative Commons upstream."""


def write_cutouts(stamps: Path, out: Path) -> int:
    """Write every cut-out below `out` with `sources.tsv`; return how many."""
    wanted = {name for cast in CASTS.values() for name in cast.cutouts}
    if wanted != set(STAMPS):
        raise ValueError(f"casts and stamps differ in {sorted(wanted ^ set(STAMPS))}")
    out.mkdir(parents=True, exist_ok=True)
    for name, stamp in STAMPS.items():
        cutout = Image.fromarray(load_cutout(stamps / stamp))
        cutout.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        # `exact` keeps the colours under soft edges, which a later resize would mix in.
        cutout.save(out / f"{name}.webp", quality=QUALITY, method=6, exact=True)
    write_table(
        out / "sources.tsv",
        ("file", "stamp"),
        [(f"{name}.webp", stamp) for name, stamp in STAMPS.items()],
    )
    return len(STAMPS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.build_sample.cutouts", description=__doc__
    )
    parser.add_argument("--stamps", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    parser.add_argument("--out", type=Path, default=cutouts_path())
    options = parser.parse_args(arguments)
    if not options.stamps.is_dir():
        parser.error(f"no stamps at {options.stamps}: README.md beside this script says how to get")
    print(f"{write_cutouts(options.stamps, options.out)} cut-outs in {options.out}")


if __name__ == "__main__":
    main()
