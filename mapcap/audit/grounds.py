"""Where the background of a picture is: outside the object's box, or outside its maps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapcap.regions import upsample

_GROWN = 0.1
"""By this share of its width and height a box grows on each side: objects reach beyond it."""
_DILATED = 0.1
"""By this share of the picture's side the maps grow."""


def ground_of_box(box: Sequence[float], side: int) -> NDArray[np.bool_]:
    """Return the pixels outside a box, grown by a tenth to each side: (side, side).

    Args:
        box: x0, y0, x1, y1 as shares of the view.
        side: of the picture in pixels.
    """
    x0, y0, x1, y1 = box
    across, down = _GROWN * (x1 - x0), _GROWN * (y1 - y0)
    centres = (np.arange(side) + 0.5) / side
    columns = (x0 - across <= centres) & (centres < x1 + across)
    rows = (y0 - down <= centres) & (centres < y1 + down)
    outside: NDArray[np.bool_] = ~(rows[:, None] & columns[None, :])
    return outside


def ground_of_maps(grids: Sequence[ArrayLike], side: int) -> NDArray[np.bool_]:
    """Return the pixels far from where any map is above its mean: (side, side).

    The maps are those for the true and for the predicted class: the object may be in either. A flat
    map says nothing of where the object is, so that nothing is known to be background.
    """
    salient = np.zeros((side, side), bool)
    for grid in grids:
        relevance = upsample(grid, (side, side))
        salient |= relevance >= relevance.mean()
    reach = round(_DILATED * side)
    grown: NDArray[np.bool_] = salient
    for axis in (0, 1):
        # A square grows by one axis after the other.
        padded = np.pad(grown, [(reach, reach) if axis == each else (0, 0) for each in (0, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
        grown = np.asarray(windows.any(-1), bool)
    outside: NDArray[np.bool_] = ~grown
    return outside
