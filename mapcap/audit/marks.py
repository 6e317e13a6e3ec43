"""Marks: the same small thing at the same place in most images of a class and in no other."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mapcap.audit.colours import colour_name
from mapcap.regions import upsample
from mapcap.stats import hypergeometric

_STEP: Final = 43
"""Width of a bin of a colour channel: six bins, or seven where they are shifted by half."""
_CODES: Final = 7**3
_SHIFTS: Final = (0, _STEP // 2)
_LEAST_EXCESS = 0.2
_LARGEST = 0.15
"""Share of the view that a mark covers at most; what is larger is a background."""
_STANDS_OUT = 40.0
"""Least distance in RGB of a mark's colour from what surrounds it."""
_RING = 3
_EIGHT: Final = np.ones((3, 3), bool)


def place_histogram(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pictures (n, H, W, 3) have each colour at each place: (2, H * W, 343).

    Colours are binned twice, the second time shifted by half a bin, so that none lies at an edge
    in both. Histograms of parts of a run add up to that of the run.
    """
    _, height, width, _ = pictures.shape
    places = np.arange(height * width)
    counts = np.zeros((len(_SHIFTS), height * width * _CODES), np.int64)
    for row, codes in enumerate(_codes(pictures)):
        counts[row] = np.bincount(
            (places * _CODES + codes).ravel(), minlength=height * width * _CODES
        )
    return counts.reshape(len(_SHIFTS), height * width, _CODES)


def _codes(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return each pixel's colour as one number, under each binning: (2, n, H * W)."""
    n, height, width, _ = pictures.shape
    flat = pictures.reshape(n, height * width, 3).astype(np.int64)
    levels = [(flat + shift) // _STEP for shift in _SHIFTS]
    return np.stack([(level * (49, 7, 1)).sum(-1) for level in levels])


@dataclass(frozen=True, eq=False)
class Mark:
    """A small part of the view that looks alike in many images of a class.

    `mask` (H, W); `box` x0, y0, x1, y1 as shares of the view; `having` (n,) the class's images
    with it; `share` and `share_elsewhere` the shares of the class's and of the other images;
    `p` is Fisher's, times the number of places.
    """

    mask: NDArray[np.bool_]
    box: tuple[float, float, float, float]
    colour: str
    having: NDArray[np.bool_]
    share: float
    share_elsewhere: float
    p: float

    @property
    def area(self) -> float:
        """Share of the view that it covers."""
        return float(self.mask.mean())

    @property
    def excess(self) -> float:
        """How much larger the class's share is."""
        return self.share - self.share_elsewhere

    @property
    def place(self) -> str:
        """Where in the view it lies, in words."""
        x, y = (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2
        rows, columns = ("top", "middle", "bottom"), ("left", "middle", "right")
        row, column = rows[min(2, int(3 * y))], columns[min(2, int(3 * x))]
        return "middle" if row == column == "middle" else f"{row} {column}"

    def relevance(self, grids: NDArray[Any]) -> NDArray[np.float64]:
        """Return the share (n,) of the relevance of grids (n, gh, gw) that falls on the mark."""
        maps = upsample(grids, self.mask.shape).clip(min=0)
        total = maps.sum((1, 2))
        on_it = maps[:, self.mask].sum(1)
        shares: NDArray[np.float64] = np.divide(
            on_it, total, out=np.zeros_like(total), where=total > 0
        )
        return shares


def find_mark(
    own: NDArray[np.uint8], others: NDArray[np.uint8], elsewhere: NDArray[np.int64]
) -> Mark | None:
    """Return the small thing that most images of a class have at one place, if there is one.

    At each place, the colour of which the class's images have most more than the others'; the
    places where that excess is more than half of the largest form 8-connected parts. The part with
    the largest excess is a mark if it is small, lies outside the middle of the view, where what
    is alike is the object itself, and stands out from what surrounds it, which the edge of a
    background does not.

    Args:
        own: (n, H, W, 3) pictures of the class, in the view that the network saw.
        others: (m, H, W, 3) pictures of other classes.
        elsewhere: `place_histogram(others)`.
    """
    if not len(own) or not len(others):
        return None
    _, height, width, _ = own.shape
    excess = place_histogram(own) / len(own) - elsewhere / len(others)  # (2, P, codes)
    by_code = excess.max(-1)  # (2, P)
    binning = by_code.argmax(0)  # (P,)
    strength = by_code.max(0).reshape(height, width)
    if strength.max() < _LEAST_EXCESS:
        return None
    colours = excess[binning, np.arange(height * width)].argmax(-1)  # (P,)
    labels, _ = ndimage.label(strength >= strength.max() / 2, structure=_EIGHT)
    mask = labels == labels.flat[int(strength.argmax())]
    middle = mask[height // 3 : -(height // 3), width // 3 : -(width // 3)]
    if mask.mean() > _LARGEST or middle.sum() > mask.sum() / 2:
        return None
    having = _have(own, mask, binning, colours)
    with_it = _have(others, mask, binning, colours)
    if not having.any():
        return None
    p = hypergeometric(int(having.sum()), len(own), int(with_it.sum()), len(others))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Mark(
        mask=mask,
        box=(
            float(columns[0] / width),
            float(rows[0] / height),
            float((columns[-1] + 1) / width),
            float((rows[-1] + 1) / height),
        ),
        colour=colour_name(np.median(own[having][:, mask].reshape(-1, 3), axis=0)),
        having=having,
        share=float(having.mean()),
        share_elsewhere=float(with_it.mean()),
        p=min(1.0, p * height * width),
    )


def _have(
    pictures: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    binning: NDArray[np.int64],
    colours: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which pictures (n,) have the mark's colours in most of it, and others around it."""
    places = np.flatnonzero(mask)
    codes = _codes(pictures)[binning[places], :, places].T  # (n, places)
    alike = (codes == colours[places]).mean(1) > 1 / 2
    ring = ndimage.binary_dilation(mask, structure=_EIGHT, iterations=_RING) & ~mask
    inside = np.median(pictures[:, mask], axis=1)  # (n, 3)
    around = np.median(pictures[:, ring], axis=1)
    having: NDArray[np.bool_] = alike & (np.linalg.norm(inside - around, axis=1) > _STANDS_OUT)
    return having
