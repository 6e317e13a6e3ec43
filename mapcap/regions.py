"""A relevance grid to its regions: masks, boxes and how much of the relevance they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapcap.salience import salient

_EIGHT_CONNECTED = np.ones((3, 3), dtype=int)


@dataclass(frozen=True, eq=False)
class Region:
    """A connected part of a view that the relevance singles out.

    `mask` (H, W) bool; `box` (x0, y0, x1, y1) in pixels of the view, half-open; `area` the share of
    the view; `mass` the share of the view's positive relevance; `patches` (gh, gw) bool, the
    patches at least half covered by the mask, and never none: the best covered one is always in.
    """

    mask: NDArray[np.bool_]
    box: tuple[int, int, int, int]
    area: float
    mass: float
    patches: NDArray[np.bool_]


def find_regions(
    grid: ArrayLike,
    size: tuple[int, int],
    threshold: str,
    max_regions: int,
    min_area: float,
) -> list[Region]:
    """Regions of a relevance grid (gh, gw) on a view of `size` (height, width), heaviest first.

    The grid is brought to `size` bilinearly; the pixels that are `salient` by the rule `threshold`
    form 8-connected components; those smaller than `min_area` (share of the view) are dropped, the
    `max_regions` with the largest mass kept. A constant map has no regions. Raises `ValueError` if
    the grid is not 2-D or not finite, or for an unknown rule.
    """
    # Here, so that whoever only brings a map to size needs no scipy.
    from scipy import ndimage

    scores = _checked(grid)
    if _is_constant(scores):
        return []
    view = upsample(scores, size)  # (H, W)
    labels, count = components(salient(view, threshold))
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    positive = view.clip(min=0)
    masses = np.bincount(labels.ravel(), positive.ravel(), minlength=count + 1)[1:]
    masses = masses / (positive.sum() or 1.0)
    large = np.flatnonzero(pixels >= min_area * view.size)
    chosen = large[np.argsort(-masses[large], kind="stable")][:max_regions]
    boxes = ndimage.find_objects(labels)
    return [
        Region(
            mask=(mask := labels == index + 1),
            box=_box(boxes[index]),
            area=float(pixels[index] / view.size),
            mass=float(masses[index]),
            patches=_patches(mask, scores.shape),
        )
        for index in chosen
    ]


def region_of(mask: NDArray[np.bool_], mass: float, grid: tuple[int, int]) -> Region:
    """Return a mask (H, W) that is not empty as a region with patches (gh, gw) of `grid`."""
    from scipy import ndimage

    box = _box(ndimage.find_objects(mask.astype(np.int8))[0])
    return Region(mask, box, float(mask.mean()), mass, _patches(mask, grid))


def components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.signedinteger[Any]], int]:
    """Number the 8-connected components of a mask (H, W) from 1: (H, W), and how many."""
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=_EIGHT_CONNECTED)
    return labels, int(count)


def heat(grid: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    """Relevance grid (gh, gw) as weights in [0, 1] on a view of `size` (height, width).

    Bilinear, then min-max; all zero for a constant grid. Raises as `find_regions`.
    """
    scores = _checked(grid)
    return np.zeros(size) if _is_constant(scores) else _min_max(upsample(scores, size))


def upsample(grids: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    """Bring grids (..., gh, gw) to `size` (height, width) bilinearly: (..., H, W).

    Equal to torch's `interpolate(mode="bilinear", align_corners=False)`.
    """
    scores = np.asarray(grids, dtype=np.float64)
    height, width = size
    rows = _interpolation(scores.shape[-2], height)  # (H, gh)
    columns = _interpolation(scores.shape[-1], width)  # (W, gw)
    return rows @ scores @ columns.T


def _checked(grid: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(grid, dtype=np.float64)
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise ValueError(f"a relevance grid is (rows, columns) of finite numbers: {scores!r}")
    return scores


def _is_constant(scores: NDArray[np.float64]) -> bool:
    """Whether the grid is flat; to be asked before rounding in `upsample` makes ripples of it."""
    span = np.ptp(scores)
    return bool(span <= np.finfo(np.float32).eps * np.abs(scores).max())


def _min_max(view: NDArray[np.float64]) -> NDArray[np.float64]:
    low = view.min()
    scaled: NDArray[np.float64] = (view - low) / (view.max() - low)
    return scaled


def _box(slices: Sequence[slice]) -> tuple[int, int, int, int]:
    rows, columns = slices
    return int(columns.start), int(rows.start), int(columns.stop), int(rows.stop)


def _patches(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows = _coverage(shape[0], mask.shape[0])
    columns = _coverage(shape[1], mask.shape[1])
    covered = rows @ mask @ columns.T  # (gh, gw), share of each patch
    # Sums of shares round: a patch covered by exactly one half is in.
    patches: NDArray[np.bool_] = covered >= min(0.5, covered.max()) - 1e-9
    return patches


@lru_cache(maxsize=64)
def _interpolation(cells: int, pixels: int) -> NDArray[np.float64]:
    """Weights (pixels, cells) of linear interpolation between cell centres, flat at the ends."""
    centres = ((np.arange(pixels) + 0.5) * cells / pixels - 0.5).clip(0, cells - 1)
    lower = np.floor(centres).astype(int)
    upper = np.minimum(lower + 1, cells - 1)
    weights = np.zeros((pixels, cells))
    np.add.at(weights, (np.arange(pixels), lower), 1 - (centres - lower))
    np.add.at(weights, (np.arange(pixels), upper), centres - lower)
    weights.flags.writeable = False  # shared by every caller
    return weights


@lru_cache(maxsize=64)
def _coverage(cells: int, pixels: int) -> NDArray[np.float64]:
    """Share (cells, pixels) of each cell that each pixel fills; cells need not be whole pixels."""
    edges = np.arange(cells + 1) * pixels / cells
    pixel = np.arange(pixels)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    shares: NDArray[np.float64] = overlap.clip(min=0) * cells / pixels
    shares.flags.writeable = False
    return shares
