"""Cache what the untrained blocks make of every picture, with its pixels and the object's box.

Each view is run once: on two cores the blocks cost far more than the training of the end. Plain
views are kept whole, varied ones with half of their patches, which costs half. An album that is
finished, and of these subjects, is not made again, so that a long run may be cut off.
"""

import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
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

from scripts.build_mini import people, stamps
from scripts.build_mini.assemble import GRID, WIDTH
from scripts.build_mini.classes import FILE, read_classes
from scripts.build_mini.cutouts import paste
from scripts.build_mini.photos import (
    TRAIN_BOXES,
    Box,
    open_photo,
    read_boxes,
    training_photos,
    unpack,
)
from scripts.build_mini.places import Places, add_data, add_stamps, add_threads, parser
from scripts.build_mini.views import View, of_people, plain, varied
from scripts.build_mini.vision import MEAN, STD, build_vit, half_precision, tokens_before_end

PLAIN = 16_000
"""So many of TinyImageNet's photos are cached plain, the others varied."""
PASTED = 12_000
"""Of the last so many of TinyImageNet's photos the thing is cut out, where it can be."""
PEOPLE_PLAIN, PEOPLE_VARIED = 2, 6
"""Views of each of Flickr8k's photos, of which there are few: see `views.of_people`."""
PATCHES = 50
"""Patches of a varied view that are kept, of 100."""
BATCH = 64
SMALL = 56
"""Side of the kept pixels: enough to tell colours and coarse patterns."""


@dataclass(frozen=True)
class Album:
    """N views of one kind."""

    tokens: NDArray[np.float16]  # (N, 1 + P, W), CLS first
    patches: NDArray[np.uint8]  # (N, P) which of the grid's patches, row by row, these are
    pixels: NDArray[np.uint8]  # (N, SMALL, SMALL, 3)
    boxes: NDArray[np.float32]  # (N, 4) x0 y0 x1 y1 as shares of the side
    labels: NDArray[np.int64]  # (N,) which class, photo of Flickr8k or stamp it shows

    def inputs(self, rows: NDArray[np.integer[Any]]) -> Tensor:
        """Read the tokens of some views: (B, N, W) float32."""
        return torch.from_numpy(self.tokens[rows].astype(np.float32))


@dataclass(frozen=True)
class Order:
    """What an album is to hold: the number of each view's subject, and how to make view i."""

    name: str
    labels: Sequence[int]
    view: Callable[[int], View]
    patches: int | None = None
    """Patches that are kept; None: all of them."""


def open_album(folder: Path) -> Album:
    """Open a finished album without reading it into memory."""
    names = ("tokens", "patches", "pixels", "boxes", "labels")
    tokens, patches, pixels, boxes, labels = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names
    )
    return Album(tokens, patches, pixels, boxes, labels)


def normalised(views: list[View]) -> Tensor:
    """Views as the network reads them: (B, 3, SIZE, SIZE)."""
    pixels = torch.from_numpy(np.stack([view.pixels for view in views]))
    return (pixels.permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def shrunk(pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    """Pictures as `appearance` reads them: (B, SMALL, SMALL, 3)."""
    small = [picture.resize((SMALL, SMALL), Image.Resampling.BOX) for picture in pictures]
    return np.stack([np.asarray(picture) for picture in small])


def fill_album(cache: Path, network: Any, order: Order) -> None:
    """Run views through the first blocks; pictures are read while the network works."""
    made = cache / order.name
    if made.exists():
        if np.array_equal(open_album(made).labels, order.labels):
            return
        shutil.rmtree(made)  # of other stamps or photos
    folder, count = cache / f"{order.name}.part", len(order.labels)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    whole = GRID[0] * GRID[1]
    shape = (count, 1 + (order.patches or whole), WIDTH)
    tokens = open_memmap(folder / "tokens.npy", "w+", np.float16, shape)
    pixels = open_memmap(folder / "pixels.npy", "w+", np.uint8, (count, SMALL, SMALL, 3))
    shares = np.zeros((count, 4), np.float32)
    patches = np.tile(np.arange(order.patches or whole, dtype=np.uint8), (count, 1))
    started, rng = time.monotonic(), random.Random(order.name)
    for rows, views in _read_ahead(count, order.view):
        kept = None
        if order.patches is not None:
            patches[rows] = kept = sorted(rng.sample(range(whole), order.patches))
        with torch.inference_mode(), half_precision():
            tokens[rows] = tokens_before_end(network, normalised(views), kept).half().numpy()
        pixels[rows] = shrunk([view.picture for view in views])
        shares[rows] = [view.box for view in views]
        if rows.start % (50 * BATCH) == 0:
            rate = rows.stop / (time.monotonic() - started)
            print(f"{order.name}: {rows.stop} of {count}, {rate:.0f}/s", flush=True)
    np.save(folder / "patches.npy", patches)
    np.save(folder / "boxes.npy", shares)
    np.save(folder / "labels.npy", np.array(order.labels))
    folder.rename(made)


def _read_ahead(count: int, view: Callable[[int], View]) -> Iterator[tuple[slice, list[View]]]:
    def read(rows: slice) -> list[View]:
        return [view(i) for i in range(rows.start, rows.stop)]

    parts = [slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    with ThreadPoolExecutor(1) as executor:
        following = executor.submit(read, parts[0])
        for part, next_part in zip(parts, [*parts[1:], None], strict=True):
            views = following.result()
            if next_part:
                following = executor.submit(read, next_part)
            yield part, views


def things(data: Path, photos: Path) -> list[Order]:
    """Order TinyImageNet's photos, the classes taking turns: the first plain, the others varied.

    All of them come again in a second varied view, and of the last some are cut out and put on
    painted grounds.
    """
    paths, labels = training_photos(photos, read_classes(data / FILE))
    boxes = read_boxes(data / TRAIN_BOXES)

    def opened(i: int) -> tuple[Image.Image, Box]:
        return open_photo(paths[i]), boxes[paths[i].name]

    cut = [
        (label, view)
        for path, label in list(zip(paths, labels, strict=True))[-PASTED:]
        if (view := paste(open_photo(path), boxes[path.name], path.name))
    ]

    def otherwise(i: int, turn: str) -> View:
        return varied(*opened(i), random.Random(paths[i].name + turn))

    return [
        Order(Places.THINGS, labels[:PLAIN], lambda i: plain(*opened(i))),
        Order(Places.THINGS_VARIED, labels[PLAIN:], lambda i: otherwise(PLAIN + i, ""), PATCHES),
        Order(Places.THINGS_AGAIN, labels, lambda i: otherwise(i, "/again"), PATCHES),
        Order(Places.THINGS_PASTED, [label for label, _ in cut], lambda i: cut[i][1], PATCHES),
    ]


def humans(data: Path, photos: Path) -> list[Order]:
    """Order Flickr8k's photos for training: all of them once in each way, way after way."""
    files = [each.file for each in people.read_described(data / people.TABLE, "train")]

    def view(i: int, first: int) -> View:
        turn, file = first + i // len(files), files[i % len(files)]
        photo = open_photo(photos / people.FOLDER / file)
        return of_people(photo, turn, random.Random(f"{file}/{turn}"))

    numbers = range(len(files))
    return [
        Order(Places.PEOPLE, [*numbers] * PEOPLE_PLAIN, lambda i: view(i, 0)),
        Order(
            Places.PEOPLE_VARIED,
            [*numbers] * PEOPLE_VARIED,
            lambda i: view(i, PEOPLE_PLAIN),
            PATCHES,
        ),
    ]


def cut_outs(folder: Path, emoji: Path) -> list[Order]:
    """Order renders of the stamps and the emoji."""
    found = stamps.training_stamps(folder, emoji)
    listed = stamps.renders(found)

    def view(i: int) -> View:
        number, turn = listed[i]
        return stamps.render(found[number], turn)[0]

    return [Order(Places.STAMPS, [number for number, _ in listed], view)]


def main() -> None:
    """Run the step."""
    options = parser(__doc__)
    add_data(options)
    add_stamps(options)
    add_threads(options)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    places = Places(given.work)
    unpack(given.data, places.photos)
    network = build_vit(places.vit)
    orders = [
        *humans(given.data, places.photos),
        *cut_outs(given.stamps, places.emoji),
        *things(given.data, places.photos),
    ]
    for order in orders:
        fill_album(places.cache, network, order)


if __name__ == "__main__":
    main()
