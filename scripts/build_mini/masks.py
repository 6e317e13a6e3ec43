"""Masks on the patch grid: those of a box, and compact parts as relevance regions are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.metrics.localisation import coverage

Mask = NDArray[np.bool_]
"""(gh, gw), never empty."""

_LEAST_RADIUS, _LARGEST_RADIUS = 1 / 8, 3 / 8
"""Shares of the grid's side."""
_LEAST_STRETCH, _LARGEST_STRETCH = 0.7, 1.4
_OVER_THE_EDGE = 0.3


def box_patches(box: NDArray[np.floating[Any]], grid: tuple[int, int]) -> Mask:
    """Patches that a box (x0 y0 x1 y1 as shares) covers by half; at least the best covered."""
    (covered,) = coverage(box[None], (1, 1), grid)
    # A box that covers a patch by exactly one half has it in spite of rounding.
    found: Mask = covered >= min(0.5, covered.max() - 1e-9)
    return found


def blob(within: Mask, rng: np.random.Generator) -> Mask:
    """Draw an ellipse about one of the patches, cut to them; at times it goes over their edge."""
    rows, columns = np.nonzero(within)
    centre = rng.integers(len(rows))
    radius = rng.uniform(_LEAST_RADIUS, _LARGEST_RADIUS) * within.shape[0]
    y, x = np.mgrid[: within.shape[0], : within.shape[1]]
    tall, wide = rng.uniform(_LEAST_STRETCH, _LARGEST_STRETCH, 2)
    down, across = (y - rows[centre]) / tall, (x - columns[centre]) / wide
    ellipse: Mask = down**2 + across**2 <= radius**2
    return ellipse if rng.random() < _OVER_THE_EDGE else ellipse & within


def with_cls(masks: Mask, cls: bool = False) -> Mask:
    """Masks (B, gh, gw) over the tokens (B, 1 + gh * gw), CLS first."""
    first = np.full((len(masks), 1), cls)
    return np.concatenate([first, masks.reshape(len(masks), -1)], axis=1)
