"""Cut-outs on painted grounds, as the sample's pictures are made, and things cut out of photos.

There are some hundred stamps and many thousand photos: of a new stamp the captioner that learnt
renders from stamps alone says the name of another one ("an electric kettle" of a teapot).
"""

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from mapcap.metrics.localisation import informative
from mapcap.regions import components
from scripts.build_mini.assemble import SIZE
from scripts.build_mini.photos import Box
from scripts.build_mini.views import View
from scripts.rendering.compose import KINDS, Composite, background, compose, mask_box

LEAST, MOST = 0.35, 0.9
"""Shares of the box that the thing may fill; else the colours did not tell it from the ground."""
_SCALE = 0.4, 0.85
_ENLARGED = 2.2
"""As a photo itself is, to fill the view."""
_ROUNDS = 3
_BITS = 4
"""Of each channel, in the histograms."""
_SMOOTH = 1.0, 1.2
"""Sigmas: cells of the histograms, pixels of the log-odds."""
_COLOURS = 1.5
"""Weight of the colours' log-odds."""
_MIDDLE, _FALL = 1.2, 2.2
"""Log-odds of the thing in the middle of its box, and what they lose to the middle of an edge."""
_OUTSIDE = -9.0
_RARE = 1e-5


def thing_mask(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.bool_] | None:
    """Tell a thing from the ground in its box: (h, w, 3) to (h, w), None where that fails.

    Histograms of the thing's colours and of the ground's, each taken of what the other left, are
    compared in turns (as in GrabCut, Rother et al. 2004, with smoothed log-odds for the cut).
    """
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = box
    area = (x1 - x0) * (y1 - y0)
    if not informative(np.array([box]), (height, width))[0]:
        return None  # there is too little outside to tell the ground by
    y, x = np.mgrid[:height, :width] + 0.5
    across, down = (2 * x - x0 - x1) / (x1 - x0), (2 * y - y0 - y1) / (y1 - y0)
    inside = (abs(across) < 1) & (abs(down) < 1)
    prior = np.where(inside, _MIDDLE - _FALL * (across**2 + down**2), _OUTSIDE)
    odds = prior
    cell = tuple(np.moveaxis(pixels >> (8 - _BITS), -1, 0))
    for _ in range(_ROUNDS):
        share = 1 / (1 + np.exp(-odds))
        thing, ground = (np.log(_histogram(cell, each) + _RARE) for each in (share, 1 - share))
        told = ndimage.gaussian_filter((thing - ground)[cell], _SMOOTH[1])
        odds = prior + _COLOURS * np.where(inside, told, 0)
    labels, count = components(odds > 0)
    if not count:
        return None
    largest = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    mask: NDArray[np.bool_] = ndimage.binary_fill_holes(largest)
    return mask if LEAST * area <= mask.sum() <= MOST * area else None


def _histogram(
    cell: tuple[NDArray[np.uint8], ...], weights: NDArray[np.floating]
) -> NDArray[np.floating]:
    counts = np.zeros((1 << _BITS,) * 3)
    np.add.at(counts, cell, weights)
    smooth: NDArray[np.floating] = ndimage.gaussian_filter(counts, _SMOOTH[0], mode="constant")
    return smooth / smooth.sum()


def paste(photo: Image.Image, box: Box, seed: str) -> View | None:
    """Put the thing in a photo's box on a painted ground; None where it cannot be cut out."""
    pixels = np.asarray(photo)
    mask = thing_mask(pixels, box)
    if mask is None:
        return None
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    x0, y0, x1, y1 = mask_box(alpha)
    cutout = np.dstack([pixels, alpha])[y0:y1, x0:x1]
    return made_view(on_ground(cutout, seed, _ENLARGED))


def made_view(made: Composite) -> View:
    """Show what was put on a ground."""
    x0, y0, x1, y1 = (edge / SIZE for edge in made.box)
    return View(Image.fromarray(made.image), (x0, y0, x1, y1))


def ground_of(seed: str) -> str:
    """Name the ground that `on_ground` paints."""
    return _draws(seed)[2]


def on_ground(
    cutout: NDArray[np.uint8],
    seed: str,
    enlarged: float,
    *,
    mirror: bool = True,
    rotation: float = 8.0,
) -> Composite:
    """Put a cut-out (h, w, 4), at most so much enlarged, on a ground: the same for each seed."""
    draw, rng, kind = _draws(seed)
    return compose(
        cutout,
        background(kind, SIZE, rng),
        rng,
        min(draw.uniform(*_SCALE), enlarged * max(cutout.shape[:2]) / SIZE),
        shadow=KINDS[kind].shadow,
        mirror=mirror,
        rotation=rotation,
    )


def _draws(seed: str) -> tuple[random.Random, np.random.Generator, str]:
    draw = random.Random(seed)
    rng = np.random.default_rng(draw.getrandbits(32))
    return draw, rng, draw.choice(sorted(KINDS))
