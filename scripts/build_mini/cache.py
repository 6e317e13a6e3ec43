"""Cache what the untrained blocks make of every photo, with its pixels and the object's box.

The first photos are cached as they are, the others in a varied view. Each photo is run once: on
two cores the blocks cost far more than the training of the end.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from scripts.build_mini.assemble import PATCH, SIZE, WIDTH
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.photos import TRAIN_BOXES, Box, read_boxes, training_photos, unpack
from scripts.build_mini.places import Places, add_data, add_threads, parser
from scripts.build_mini.views import View, plain, varied
from scripts.build_mini.vision import MEAN, STD, build_vit, tokens_before_end

PLAIN = 24_000
"""So many photos are cached plain; those behind them in the list are varied."""
BATCH = 64
SMALL = 56
"""Side of the kept pixels: enough to tell colours and coarse patterns."""


@dataclass(frozen=True)
class Cache:
    """Rows of N photos, the classes taking turns."""

    tokens: NDArray[np.float16]  # (N, 65, W), CLS first
    pixels: NDArray[np.uint8]  # (N, SMALL, SMALL, 3)
    boxes: NDArray[np.float32]  # (N, 4) x0 y0 x1 y1 as shares of the side
    labels: NDArray[np.int64]  # (N,)

    @property
    def plain(self) -> int:
        """How many photos are plain: those before this number."""
        return min(PLAIN, len(self.labels))

    def inputs(self, rows: NDArray[np.integer[Any]]) -> Tensor:
        """Read the tokens of some photos: (B, N, W) float32."""
        return torch.from_numpy(self.tokens[rows].astype(np.float32))


def open_cache(folder: Path) -> Cache:
    """Open a finished cache without reading it into memory."""
    names = ("tokens", "pixels", "boxes", "labels")
    tokens, pixels, boxes, labels = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names
    )
    return Cache(tokens, pixels, boxes, labels)


def view_of(index: int, path: Path, box: Box) -> View:
    """Make the view of a photo at a place in the list; the same one every time."""
    photo = Image.open(path).convert("RGB")
    return plain(photo, box) if index < PLAIN else varied(photo, box, random.Random(path.name))


def normalised(views: list[View]) -> Tensor:
    """Views as the network reads them: (B, 3, SIZE, SIZE)."""
    pixels = torch.from_numpy(np.stack([view.pixels for view in views]))
    return (pixels.permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def fill_cache(folder: Path, vit: Path, paths: list[Path], boxes: list[Box]) -> None:
    """Run the photos through the first blocks; pictures are read while the network works."""
    count = len(paths)
    tokens = open_memmap(
        folder / "tokens.npy", "w+", np.float16, (count, 1 + (SIZE // PATCH) ** 2, WIDTH)
    )
    pixels = open_memmap(folder / "pixels.npy", "w+", np.uint8, (count, SMALL, SMALL, 3))
    shares = np.zeros((count, 4), np.float32)
    network = build_vit(vit)
    started = time.monotonic()
    for rows, views in _read_ahead(paths, boxes):
        with torch.inference_mode():
            tokens[rows] = tokens_before_end(network, normalised(views)).half().numpy()
        small = [view.picture.resize((SMALL, SMALL), Image.Resampling.BOX) for view in views]
        pixels[rows] = np.stack([np.asarray(picture) for picture in small])
        shares[rows] = [view.box for view in views]
        if rows.start % (50 * BATCH) == 0:
            rate = rows.stop / (time.monotonic() - started)
            print(f"{rows.stop} of {count} photos, {rate:.0f}/s", flush=True)
    np.save(folder / "boxes.npy", shares)


def _read_ahead(paths: list[Path], boxes: list[Box]) -> Iterator[tuple[slice, list[View]]]:
    def read(rows: slice) -> list[View]:
        return [view_of(i, paths[i], boxes[i]) for i in range(rows.start, rows.stop)]

    ends = range(BATCH, len(paths) + BATCH, BATCH)
    parts = [slice(end - BATCH, min(end, len(paths))) for end in ends]
    with ThreadPoolExecutor(1) as executor:
        following = executor.submit(read, parts[0])
        for part, next_part in zip(parts, [*parts[1:], None], strict=True):
            views = following.result()
            if next_part:
                following = executor.submit(read, next_part)
            yield part, views


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_threads(options)
    options.add_argument("--photos", type=int, help="take only the first so many, for a trial")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    unpack(given.data, places.photos)
    paths, labels = training_photos(places.photos, read_classes(given.data / FILE))
    paths, labels = paths[: given.photos], labels[: given.photos]
    boxes = read_boxes(given.data / TRAIN_BOXES)
    places.cache.mkdir(exist_ok=True)
    fill_cache(places.cache, places.vit, paths, [boxes[path.name] for path in paths])
    np.save(places.cache / "labels.npy", np.array(labels))


if __name__ == "__main__":
    main()
