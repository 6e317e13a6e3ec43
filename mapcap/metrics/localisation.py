"""Relevance maps against boxes: does the model look where the object is?

Each figure stands beside the same figure of two maps that know nothing of the image: a Gaussian
in the centre, where photographers put things, and a uniform one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mapcap.regions import heat

Floats = NDArray[np.float64]

LARGEST_BOX = 0.6
"""Larger boxes, as a share of the view, say nothing: nearly any map lies inside them."""
SIGMA = 3 / 16
"""Of the centred Gaussian, as a share of the view's sides: three patches of a 16 x 16 grid."""
_EIGHT_CONNECTED = np.ones((3, 3), dtype=int)


def localise(
    grids: NDArray[Any], boxes: NDArray[Any], size: tuple[int, int], threshold: float = 0.5
) -> dict[str, Floats]:
    """Return the figures of N maps and of the two maps of chance, each (N,), by name.

    `pointing`: whether the centre of the best patch lies in the box (Zhang et al. 2018; of
    several best ones, the share). `energy`: the share of the map inside the box (Wang et al.
    2020). `box-iou`: intersection over union of the box with that of the largest connected part
    of the map above `threshold` of its range (Zhou et al. 2016). Names ending in `-centred` and
    `-uniform` are the chance levels, in `-ahead` the difference to the centred one.

    Args:
        grids: (N, gh, gw) relevance >= 0, no map all zero.
        boxes: (N, 4) x0, y0, x1, y1 in pixels of the view.
        size: height and width of the view.
        threshold: as that of the regions.
    """
    maps = np.asarray(grids, np.float64)
    shape = maps.shape[1:]
    covered = coverage(boxes, size, shape)
    rivals = {"": maps, "-centred": centred_gaussian(shape), "-uniform": np.ones(shape)}
    figures: dict[str, Floats] = {}
    for ending, drawn in rivals.items():
        alike = np.broadcast_to(drawn, maps.shape)
        figures[f"pointing{ending}"] = points_inside(alike, boxes, size)
        figures[f"energy{ending}"] = energy_inside(alike, covered)
        found = [highlighted_box(grid, size, threshold) for grid in drawn.reshape(-1, *shape)]
        figures[f"box-iou{ending}"] = intersection_over_union(np.array(found, float), boxes)
    for name in ("pointing", "energy", "box-iou"):
        figures[f"{name}-ahead"] = figures[name] - figures[f"{name}-centred"]
    return figures


def informative(boxes: NDArray[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Tell which boxes (N, 4) are not cut off by the view, and not most of it: (N,)."""
    given = np.asarray(boxes, np.float64).reshape(-1, 4)
    shares = (given[:, 2] - given[:, 0]) * (given[:, 3] - given[:, 1]) / (size[0] * size[1])
    kept: NDArray[np.bool_] = (shares > 0) & (shares < LARGEST_BOX)
    return kept


def coverage(boxes: NDArray[Any], size: tuple[int, int], shape: tuple[int, ...]) -> Floats:
    """Return the share of each patch that each box covers: (N, 4) to (N, gh, gw)."""
    given = np.asarray(boxes, np.float64)
    columns, rows = (
        _overlap(given[:, axis], given[:, axis + 2], size[1 - axis], shape[1 - axis])
        for axis in (0, 1)
    )  # (N, gw), (N, gh)
    covered: Floats = rows[:, :, None] * columns[:, None]
    return covered


def _overlap(start: Floats, end: Floats, pixels: int, cells: int) -> Floats:
    edges = np.arange(cells + 1) * pixels / cells
    inside = np.minimum(end[:, None], edges[1:]) - np.maximum(start[:, None], edges[:-1])
    shares: Floats = inside.clip(min=0) * cells / pixels
    return shares


def energy_inside(maps: NDArray[Any], covered: Floats) -> Floats:
    """Return the share of each map's sum (N, gh, gw) that lies inside its box: (N,)."""
    shares: Floats = (maps * covered).sum((1, 2)) / maps.sum((1, 2))
    return shares


def points_inside(maps: NDArray[Any], boxes: NDArray[Any], size: tuple[int, int]) -> Floats:
    """Return the share of each map's best patches whose centre lies in its box: (N,)."""
    rows, columns = (
        (np.arange(cells) + 0.5) * pixels / cells
        for cells, pixels in zip(maps.shape[1:], size, strict=True)
    )
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T[..., None]  # (N, 1) each
    in_rows = (rows >= y0) & (rows < y1)  # (N, gh)
    in_columns = (columns >= x0) & (columns < x1)  # (N, gw)
    best = maps == maps.max((1, 2), keepdims=True)
    hits = best & in_rows[:, :, None] & in_columns[:, None]
    shares: Floats = hits.sum((1, 2)) / best.sum((1, 2))
    return shares


def highlighted_box(
    grid: NDArray[Any], size: tuple[int, int], threshold: float
) -> tuple[int, int, int, int]:
    """Return the box x0, y0, x1, y1 of a map's largest connected part, in pixels of the view.

    A constant map singles nothing out: its box is the whole view.
    """
    view = heat(grid, size)  # (H, W)
    labels, count = ndimage.label(view >= threshold, structure=_EIGHT_CONNECTED)
    if not count:
        return 0, 0, size[1], size[0]
    largest = int(np.bincount(labels.ravel())[1:].argmax())
    rows, columns = ndimage.find_objects(labels)[largest]
    return int(columns.start), int(rows.start), int(columns.stop), int(rows.stop)


def intersection_over_union(boxes: NDArray[Any], others: NDArray[Any]) -> Floats:
    """Return what each box shares with its other one, by what both cover: (N, 4) each to (N,)."""
    a, b = np.broadcast_arrays(np.asarray(boxes, float), np.asarray(others, float))
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = sides.clip(min=0).prod(1)
    areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (a, b)]
    ratio: Floats = shared / (areas[0] + areas[1] - shared)
    return ratio


def centred_gaussian(shape: tuple[int, ...]) -> Floats:
    """Draw a map (gh, gw) that looks at the centre, whatever the image."""
    y, x = ((np.arange(cells) - (cells - 1) / 2) / (SIGMA * cells) for cells in shape)
    bell: Floats = np.exp(-(y[:, None] ** 2 + x[None] ** 2) / 2)
    return bell


def spread(grids: NDArray[Any]) -> Floats:
    """Return over which share of its patches each map (N, gh, gw), not all zero, spreads: (N,).

    The perplexity of the map as a distribution, by the number of patches: 1 for a uniform map,
    one patch's share for a single peak.
    """
    flat = np.asarray(grids, np.float64).reshape(len(grids), -1).clip(min=0)
    shares = flat / flat.sum(1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    perplexity: Floats = np.exp(-(shares * logs).sum(1)) / flat.shape[1]
    return perplexity
