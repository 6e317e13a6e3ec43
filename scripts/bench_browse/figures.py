"""The made-up content of the large store: names, captions, pictures, vectors, masks."""

from io import BytesIO
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.codecs import encode_bits, encode_mask, encode_steps
from db.schema.columns import FEATURE_HALVINGS

SIDE = 96
GRID = 7

_KINDS = """grey red small giant spotted striped golden marsh river forest sand snow desert garden
field sea stone night mountain island velvet copper silver northern southern eastern crested
bearded hooded long-tailed short-eared web-footed broad-winged""".split()
_THINGS = """cat crane lion teapot bus heron beetle lantern guitar lizard sparrow violin orange
mushroom tractor kettle wagon fox otter turtle lemon candle bridge ferry piano spider rocket apple
basket hammer rabbit""".split()
_COLOURS = "a black|a white|a red|a green|a small|a large|an old|a shiny|a round|a wooden".split(
    "|"
)
_VERBS = """sitting standing lying hanging parked growing moving resting floating shining leaning
turning""".split()
_PLACES = """on the grass|in the water|on a table|near a wall|in the snow|beside a road|under a
tree|on a branch|in the dark|by a window|on a black background|in front of a
house|in a field""".replace("\n", " ").split("|")


def class_names(n: int) -> list[str]:
    """Return n distinct names, in an order that is not the alphabet's."""
    names = [f"{kind} {thing}" for thing, kind in product(_THINGS, _KINDS)]
    rounds = -(-n // len(names))
    every = names + [f"{name} {number}" for number in range(2, rounds + 1) for name in names]
    order = np.random.default_rng(1).permutation(len(every))
    return [every[place] for place in order[:n]]


def captions(n: int) -> list[str]:
    """Return n distinct captions."""
    every = [
        f"{colour} {kind} {thing} {verb} {place}."
        for colour, kind, thing, verb, place in product(
            _COLOURS, ["", *_KINDS[:7]], _THINGS, _VERBS, _PLACES
        )
    ]
    order = np.random.default_rng(2).permutation(len(every))
    return [" ".join(every[place].split()) for place in order[:n]]


def thumbnails(n: int) -> list[bytes]:
    """Return n different pictures as WebP."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    found = []
    for number in range(n):
        waves = [np.sin((x * (number % 7 + 1) + y * each) / 17 + number) for each in (1, 2, 3)]
        pixels = (np.stack(waves, axis=-1) * 100 + 128).astype(np.uint8)
        file = BytesIO()
        Image.fromarray(pixels).save(file, "WEBP", quality=75)
        found.append(file.getvalue())
    return found


def grids(n: int, generator: np.random.Generator) -> list[bytes]:
    """Return n relevance grids of maximum 1."""
    found = generator.random((n, GRID, GRID)) ** 3
    found /= found.max(axis=(1, 2), keepdims=True)
    return [encode_steps(grid.astype("<f2"), 11) for grid in found]


def masks(n: int) -> list[tuple[bytes, bytes]]:
    """Return n regions as (mask on the patch grid, mask in pixels)."""
    scale = SIDE // GRID + 1
    found = []
    for number in range(n):
        patches = np.zeros((GRID, GRID), bool)
        top, left = number % 4, number // 4 % 4
        patches[top : top + 3, left : left + 2 + number % 2] = True
        pixels = np.kron(patches, np.ones((scale, scale), bool))[:SIDE, :SIDE]
        found.append((encode_bits(patches), encode_mask(pixels)))
    return found


def vectors(centre: NDArray[np.float64], n: int, generator: np.random.Generator) -> list[bytes]:
    """Return n unit vectors (D,) about a class's own direction, as blobs."""
    found = 0.7 * centre + generator.normal(size=(n, centre.size)) / np.sqrt(centre.size)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return [encode_steps(row, FEATURE_HALVINGS) for row in found.astype("<f2")]
