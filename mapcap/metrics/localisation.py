"""Relevance maps against boxes: does the model look where the object is?

Each figure stands beside the same figure of two maps that know nothing of the image: a Gaussian
in the centre, where photographers put things, and a uniform one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapcap.metrics.names import LOCALISATION
from mapcap.regions import components, heat, upsample
from mapcap.salience import salient

Floats = NDArray[np.float64]

LARGEST_BOX = 0.6
"""Larger boxes, as a share of the view, say nothing: nearly any map lies inside them."""
SIGMA = 3 / 16
"""Of the centred Gaussian, as a share of the view's sides: three patches of a 16 x 16 grid."""


def localise(
    grids: NDArray[Any], boxes: NDArray[Any], size: tuple[int, int], threshold: str
) -> dict[str, Floats]:
    """Return the figures of N maps and of the two maps of chance, each (N,), by name.

    `pointing`: whether the centre of the best patch lies in the box (Zhang et al. 2018; of
    several best ones, the share). `energy`: the share of the map inside the box (Wang et al.
    2020). `mask-iou`: intersection over union of the box with the largest connected part of the
    map that is salient by the rule `threshold`; `box-iou`: with that part's own box (Zhou et al.
    2016). Names ending in `-centre-prior` and
    `-uniform` are the chance levels, in `-gain` the difference to the centred one.

    Args:
        grids: (N, gh, gw) relevance >= 0, no map all zero.
        boxes: (N, 4) x0, y0, x1, y1 in pixels of the view.
        size: height and width of the view.
        threshold: the rule of the regions.
    """
    maps = np.asarray(grids, np.float64)
    shape = maps.shape[1:]
    covered = coverage(boxes, size, shape)
    rivals = {"": maps, "-centre-prior": centred_gaussian(shape), "-uniform": np.ones(shape)}
    figures: dict[str, Floats] = {}
    for ending, drawn in rivals.items():
        alike = np.broadcast_to(drawn, maps.shape)
        figures[f"pointing{ending}"] = points_inside(alike, boxes, size)
        figures[f"energy{ending}"] = energy_inside(alike, covered)
        parts = [largest_part(grid, size, threshold) for grid in drawn.reshape(-1, *shape)]
        outlines = np.array([box_around(part) for part in parts], float)
        figures[f"box-iou{ending}"] = intersection_over_union(outlines, boxes)
        figures[f"mask-iou{ending}"] = mask_over_union(parts, boxes)
    for name in LOCALISATION:
        figures[f"{name}-gain"] = figures[name] - figures[f"{name}-centre-prior"]
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


def largest_part(grid: NDArray[Any], size: tuple[int, int], threshold: str) -> NDArray[np.bool_]:
    """Return a map's largest connected salient part on the view, (H, W) bool.

    A constant map singles nothing out: its part is the whole view.
    """
    if not heat(grid, size).any():
        return np.ones(size, bool)
    labels, _ = components(salient(upsample(grid, size), threshold))
    part: NDArray[np.bool_] = labels == 1 + int(np.bincount(labels.ravel())[1:].argmax())
    return part


def box_around(part: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return the box x0, y0, x1, y1 around a mask (H, W) that is not empty, half-open."""
    rows, columns = (np.flatnonzero(part.any(axis)) for axis in (1, 0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def mask_over_union(parts: Sequence[NDArray[np.bool_]], boxes: NDArray[Any]) -> Floats:
    """Return what masks (H, W), one or N, share with boxes (N, 4), by what both cover: (N,).

    A pixel on a box's edge counts by the share of it that is inside.
    """
    given = np.asarray(boxes, np.float64)
    ratios = np.empty(len(given))
    for place, box in enumerate(given):
        part = parts[place if len(parts) > 1 else 0]
        inside = coverage(box[None], part.shape, part.shape)[0]  # (H, W)
        shared = float(inside[part].sum())
        ratios[place] = shared / (part.sum() + inside.sum() - shared)
    return ratios


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
