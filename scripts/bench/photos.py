"""Made-up photos: pictures of the built-in sample, each cut, turned and lit in its own way."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from mapcap.datasets.sample import PICTURES, sample_path

_ADJECTIVES = "red small old wooden shiny round dark pale wild giant".split()


def write_photos(folder: Path, photos: int, classes: int, side: int) -> None:
    """Write `photos` JPEG files in `classes` class folders; the shorter side has `side` pixels.

    Up to ten classes bear the sample's names, so that the embedded networks predict most of them;
    of more, the names are the sample's with an adjective or a number.
    """
    pictures = sorted(sample_path().glob(PICTURES))
    kinds = sorted({path.parent.name for path in pictures})
    of_kind = {kind: [path for path in pictures if path.parent.name == kind] for kind in kinds}
    names = [_name(kinds[place % len(kinds)], place // len(kinds)) for place in range(classes)]
    for name in names:
        (folder / name).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(photos):
        place = number % classes
        candidates = of_kind[kinds[place % len(kinds)]]
        with Image.open(candidates[number // classes % len(candidates)]) as picture:
            made = _varied(picture.convert("RGB"), side, generator)
        made.save(folder / names[place] / f"{number:07}.jpg", quality=90)


def _name(kind: str, turn: int) -> str:
    if not turn:
        return kind
    number, place = divmod(turn - 1, len(_ADJECTIVES))
    return f"{_ADJECTIVES[place]} {kind}" + (f" {number + 1}" if number else "")


def _varied(picture: Image.Image, side: int, generator: np.random.Generator) -> Image.Image:
    share, left, top, light, turned = generator.random(5)
    kept = (0.75 + 0.25 * share) * picture.width, (0.75 + 0.25 * share) * picture.height
    x, y = left * (picture.width - kept[0]), top * (picture.height - kept[1])
    cut = picture.crop((int(x), int(y), int(x + kept[0]), int(y + kept[1])))
    lit = ImageEnhance.Brightness(cut).enhance(0.8 + 0.4 * light)
    return ImageOps.fit(ImageOps.mirror(lit) if turned > 0.5 else lit, (side * 4 // 3, side))
