"""Findings of kind `watermark`: the same small thing at one place of most images of a class."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit import shortcuts
from mapcap.audit.colours import colour_name
from mapcap.audit.findings import Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind
from mapcap.audit.material import Material
from mapcap.regions import components, upsample
from mapcap.stats import hypergeometric

NAME: Final = "watermark"
_STEP: Final = 43
"""Width of a bin of a colour channel: six bins, or seven where they are shifted by half."""
_CODES: Final = 7**3
_SHIFTS: Final = (0, _STEP // 2)
_TOGETHER: Final = 512
"""Pictures that are counted at once: a run's sample may have thousands."""
_FAINTEST = 0.2
"""Excess of a colour at a place, below which no watermark is looked for."""
_LEAST_EXCESS = 0.4
"""By how much more of the class's images than of others must have it, for it to be reported."""
_LARGEST = 0.15
"""Share of the view that a watermark covers at most; what is larger is a background."""
_STANDS_OUT = 40.0
"""Least distance in RGB of a watermark's colour from what surrounds it."""
_RING = 3
_FEWEST = 10
"""Images of a class below which any thing is at the same place by chance."""
_EIGHT: Final = np.ones((3, 3), bool)


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return the small thing at one place of most images of the class, if there is one."""
    images, reference = inputs.material.images, inputs.material.reference
    in_class = reference.classes == inputs.material.class_id
    elsewhere = reference.histogram - place_histogram(reference.pictures[in_class])
    mark = find_watermark(images.pictures, reference.pictures, elsewhere, ~in_class)
    return watermarks(inputs.material, mark)


def place_histogram(pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many pictures (n, H, W, 3) have each colour at each place: (2, H * W, 343).

    Colours are binned twice, the second time shifted by half a bin, so that none lies at an edge
    in both. Histograms of parts of a run add up to that of the run.
    """
    n, height, width, _ = pictures.shape
    bins = height * width * _CODES
    first = np.arange(height * width) * _CODES
    counts = np.zeros((len(_SHIFTS), bins), np.int64)
    for start in range(0, n, _TOGETHER):
        flat = pictures[start : start + _TOGETHER].reshape(-1, height * width, 3)
        for row, codes in enumerate(_codes(flat)):
            counts[row] += np.bincount((first + codes).ravel(), minlength=bins)
    return counts.reshape(len(_SHIFTS), height * width, _CODES)


def _codes(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the colour of pixels (..., 3) as one number, under each binning: (2, ...)."""
    levels = [((np.arange(256) + shift) // _STEP).astype(np.int16) for shift in _SHIFTS]
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return np.stack([49 * level[red] + 7 * level[green] + level[blue] for level in levels])


@dataclass(frozen=True, eq=False)
class Watermark:
    """A small part of the view that looks alike in many images of a class.

    `mask` (H, W); `box` x0, y0, x1, y1 as shares of the view; `having` (n,) the class's images
    with it; `share` and `share_elsewhere` the shares of the class's and of the other images;
    `p` is Fisher's, times the number of places and of colours: all that was tried.
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
        """Return the share (n,) of the relevance of grids (n, gh, gw) that falls on it."""
        maps = upsample(grids, self.mask.shape).clip(min=0)
        total = maps.sum((1, 2))
        on_it = maps[:, self.mask].sum(1)
        shares: NDArray[np.float64] = np.divide(
            on_it, total, out=np.zeros_like(total), where=total > 0
        )
        return shares


def find_watermark(
    members: NDArray[np.uint8],
    pictures: NDArray[np.uint8],
    elsewhere: NDArray[np.int64],
    apart: NDArray[np.bool_] | None = None,
) -> Watermark | None:
    """Return the small thing that most images of a class have at one place, if there is one.

    At each place, the colour of which the class's images have most more than the others'; the
    places where that excess is more than half of the largest form 8-connected parts. The part with
    the largest excess is a watermark if it is small, lies outside the middle of the view, where
    what is alike is the object itself, and stands out from what surrounds it, which the edge of a
    background does not.

    None of fewer than ten pictures.

    Args:
        members: (n, H, W, 3) pictures of the class, in the view that the network saw.
        pictures: (m, H, W, 3) among them those of other classes, which are not copied out of it.
        elsewhere: `place_histogram` of those.
        apart: (m,) which they are; None for all.
    """
    others = len(pictures) if apart is None else int(apart.sum())
    if len(members) < _FEWEST or not others:
        return None
    _, height, width, _ = members.shape
    excess = place_histogram(members) / len(members) - elsewhere / others  # (2, P, codes)
    by_code = excess.max(-1)  # (2, P)
    binning = by_code.argmax(0)  # (P,)
    strength = by_code.max(0).reshape(height, width)
    if strength.max() < _FAINTEST:
        return None
    colours = excess[binning, np.arange(height * width)].argmax(-1)  # (P,)
    labels, _ = components(strength >= strength.max() / 2)
    mask = labels == labels.flat[int(strength.argmax())]
    middle = mask[height // 3 : -(height // 3), width // 3 : -(width // 3)]
    if mask.mean() > _LARGEST or middle.sum() > mask.sum() / 2:
        return None
    having = _have(members, mask, binning, colours)
    with_it = _have(pictures, mask, binning, colours)
    with_it = with_it if apart is None else with_it[apart]
    if not having.any():
        return None
    p = hypergeometric(int(having.sum()), len(members), int(with_it.sum()), others)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Watermark(
        mask=mask,
        box=(
            float(columns[0] / width),
            float(rows[0] / height),
            float((columns[-1] + 1) / width),
            float((rows[-1] + 1) / height),
        ),
        colour=colour_name(np.median(members[having][:, mask].reshape(-1, 3), axis=0)),
        having=having,
        share=float(having.mean()),
        share_elsewhere=float(with_it.mean()),
        p=min(1.0, p * height * width * len(_SHIFTS) * _CODES),
    )


def _have(
    pictures: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    binning: NDArray[np.int64],
    colours: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return which pictures (n,) have the colours in most of the mask, and others around it."""
    # Not for those who only ask which kinds there are.
    from scipy import ndimage

    places = np.flatnonzero(mask)
    codes = _codes(pictures[:, mask])[binning[places], :, np.arange(len(places))].T  # (n, places)
    alike = (codes == colours[places]).mean(1) > 1 / 2
    ring = ndimage.binary_dilation(mask, structure=_EIGHT, iterations=_RING) & ~mask
    inside = np.median(pictures[:, mask], axis=1)  # (n, 3)
    around = np.median(pictures[:, ring], axis=1)
    having: NDArray[np.bool_] = alike & (np.linalg.norm(inside - around, axis=1) > _STANDS_OUT)
    return having


def watermarks(material: Material, mark: Watermark | None) -> list[Finding]:
    """Return a watermark as a finding, if it is significant and pronounced."""
    if mark is None or not shortcuts.pronounced(mark, _LEAST_EXCESS):
        return []
    images = material.images
    relevance = float(mark.relevance(images.grids)[mark.having].mean())
    title = (
        f"{int(mark.having.sum())} of {len(images)} have the same {mark.colour} mark at the "
        f"{mark.place}, {mark.share_elsewhere:.0%} elsewhere; {relevance:.0%} of the relevance "
        "falls on it"
    )
    figures = {
        "colour": mark.colour,
        "place": mark.place,
        "box": list(mark.box),
        "area": mark.area,
        "relevance": relevance,
    }
    subject = f"{mark.colour} at the {mark.place}"
    return [shortcuts.finding_of(NAME, material, mark, title, figures, subject)]


def clause(finding: Finding) -> str:
    """Say how many have it, what relevance falls on it, and whether accuracy differs with it."""
    figures = finding.figures
    text = (
        f"{figures['images']} have a {figures['colour']} mark at the {figures['place']}, "
        f"on which {figures['relevance']:.0%} of the relevance falls"
    )
    return text + shortcuts.accuracies(figures)


def details(finding: Finding) -> list[str]:
    """Return the figures of a watermark as printed lines."""
    area, relevance = finding.figures["area"], finding.figures["relevance"]
    return [
        *shortcuts.details(finding),
        f"It covers {area:.1%} of the view and has {relevance:.1%} of the relevance.",
    ]


WATERMARK: Final = Kind(
    NAME, "watermark", "#4dd8e6", detect, details, clause, overlay=False, of_errors=False
)
