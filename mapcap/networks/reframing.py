"""Maps and regions from what one network sees of a photo to what another one sees of it.

Both views are upright boxes of the photo, so that each axis goes by itself.
"""

import numpy as np
from numpy.typing import NDArray

from mapcap.networks.geometry import Size, View
from mapcap.regions import Region, region_of


def reframe(
    values: NDArray[np.floating], source: View, target: View, shape: Size
) -> NDArray[np.float32]:
    """Values (h, w) that cover `source`'s input, as cells of `shape` that cover `target`'s input.

    Linear between the centres of cells, flat to the edges; 0 where `source` sees nothing.
    """
    (x0, y0, x1, y1), (left, top, right, bottom) = source.window, target.window
    rows = _weights(values.shape[0], shape[0], (y0, y1), (top, bottom))
    columns = _weights(values.shape[1], shape[1], (x0, x1), (left, right))
    return (rows @ np.asarray(values, np.float64) @ columns.T).astype(np.float32)


def reframe_region(region: Region, source: View, target: View, grid: Size) -> Region | None:
    """Return a region as `target` sees it, with patches of `grid`; None where it sees nothing."""
    mask = reframe(region.mask.astype(np.float64), source, target, target.input) >= 0.5
    return region_of(mask, region.mass, grid) if mask.any() else None


def _weights(
    cells: int, wanted: int, source: tuple[float, float], target: tuple[float, float]
) -> NDArray[np.float64]:
    """Weights (wanted, cells) of linear interpolation along an axis; spans are in pixels."""
    centres = target[0] + (np.arange(wanted) + 0.5) / wanted * (target[1] - target[0])
    share = (centres - source[0]) / (source[1] - source[0])
    place = (share * cells - 0.5).clip(0, cells - 1)
    lower = np.floor(place).astype(int)
    upper = np.minimum(lower + 1, cells - 1)
    weights = np.zeros((wanted, cells))
    np.add.at(weights, (np.arange(wanted), lower), 1 - (place - lower))
    np.add.at(weights, (np.arange(wanted), upper), place - lower)
    weights[(share < 0) | (share > 1)] = 0
    return weights
