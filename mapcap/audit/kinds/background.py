"""Findings of kind `background`: what lies outside the relevance is unlike other classes'."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit import shortcuts
from mapcap.audit.colours import lab
from mapcap.audit.findings import Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind
from mapcap.audit.material import Material
from mapcap.regions import upsample

NAME: Final = "background"
PROPERTIES: Final = ("brightness", "red-green", "blue-yellow", "colourfulness", "texture")
_WORDS: Final = {
    "brightness": ("dark", "bright"),
    "red-green": ("green", "red"),
    "blue-yellow": ("blue", "yellow"),
    "colourfulness": ("grey", "colourful"),
    "texture": ("plain", "busy"),
}
_OPPOSED: Final = ("red-green", "blue-yellow")
_TESTS: Final = 2 * len(PROPERTIES)
_RARE = 0.2
"""Most of the other images that may have what a class's backgrounds are said to have."""
_NEARLY = 0.85
_COLOURED = 5.0
"""Least |a*| or |b*| of what is called by a colour."""
_LEAST_EXCESS = 0.3
"""By how much more of the class's backgrounds than of others must have what they are said to."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what most of the class's backgrounds have and few others, if it is pronounced."""
    images, reference = inputs.material.images, inputs.material.reference
    others = reference.backgrounds[reference.classes != inputs.material.class_id]
    own = background_properties(images.pictures, images.grids)
    return backgrounds(inputs.material, find_background(own, others))


def background_properties(pictures: NDArray[np.uint8], grids: NDArray[Any]) -> NDArray[np.float64]:
    """Return what the backgrounds are like: (n, 5), columns as `PROPERTIES`.

    The background is the half of the pixels with the lowest relevance; of it the means of L*, a*,
    b* and chroma, and the standard deviation of L*, all in units of L*a*b*.

    Args:
        pictures: (n, H, W, 3) in the view that the network saw, sRGB.
        grids: (n, gh, gw) relevance of the same views.
    """
    n, height, width, _ = pictures.shape
    if not n:
        return np.empty((0, len(PROPERTIES)))
    relevance = upsample(grids, (height, width)).reshape(n, -1)
    # Exactly half of the pixels, also where a map is flat.
    low = np.argsort(relevance, axis=1, kind="stable")[:, : height * width // 2]
    colours = np.take_along_axis(pictures.reshape(n, -1, 3), low[:, :, None], axis=1)
    seen = lab(colours)  # (n, P / 2, 3)
    chroma = np.hypot(seen[..., 1], seen[..., 2]).mean(1)
    return np.column_stack([seen.mean(1), chroma, seen[..., 0].std(1)])


@dataclass(frozen=True, eq=False)
class Background:
    """What a class's backgrounds have that few of other classes have.

    `having` (n,) says which images have it; `share` and `share_elsewhere` are the shares of the
    class's and of the other images; `deviations` is the distance of the means in standard
    deviations of the others, with its sign; `p` is times the number of properties tried.
    """

    quality: str
    word: str
    having: NDArray[np.bool_]
    threshold: float
    share: float
    share_elsewhere: float
    deviations: float
    p: float

    @property
    def excess(self) -> float:
        """How much larger the class's share is."""
        return self.share - self.share_elsewhere


def find_background(own: NDArray[np.float64], others: NDArray[np.float64]) -> Background | None:
    """Return the property in which a class's backgrounds differ most from those of the others.

    A background is called dark, plain and so on where at most a fifth of the other classes'
    images are as dark or plain; within that limit the value is taken that parts class and others
    best. The property and direction that part best are returned, or one that parts nearly as well
    and stands before it in `PROPERTIES`: a black background is also grey. The p is that of the
    one-sided Kolmogorov-Smirnov test for a difference as large, by its bound
    exp(-2 D^2 nm / (n + m)) (Smirnov 1944). None where a side has no image, or no property parts.

    Args:
        own: (n, 5) of the class, as `background_properties` gives them.
        others: (m, 5) of images of other classes.
    """
    if not len(own) or not len(others):
        return None
    found = [
        compared
        for column in range(len(PROPERTIES))
        for direction in (0, 1)
        if (compared := _compared(own[:, column], others[:, column], column, direction))
    ]
    most = max((background.excess for background in found), default=0.0)
    return next((one for one in found if one.excess >= _NEARLY * most), None)


def _compared(
    own: NDArray[np.float64], others: NDArray[np.float64], column: int, direction: int
) -> Background | None:
    """Return how far a class's values lie below (direction 0) or above the others'."""
    sign = 1 if direction == 0 else -1
    name, below, above = PROPERTIES[column], np.sort(sign * own), np.sort(sign * others)
    elsewhere = np.searchsorted(above, below, side="right") / len(above)
    excess = np.searchsorted(below, below, side="right") / len(below) - elsewhere
    # A colour must be that colour, not only less of the opposite one.
    coloured = below <= -_COLOURED if name in _OPPOSED else np.ones(len(below), bool)
    allowed = np.flatnonzero((elsewhere <= _RARE) & coloured & (excess > 0))
    if not allowed.size:
        return None
    place = allowed[excess[allowed].argmax()]
    having = sign * own <= below[place]
    spread = others.std()
    n, m = len(own), len(others)
    bound = float(np.exp(-2 * excess[place] ** 2 * n * m / (n + m)))
    return Background(
        quality=name,
        word=_WORDS[name][direction],
        having=having,
        threshold=float(sign * below[place]),
        share=float(having.mean()),
        share_elsewhere=float(elsewhere[place]),
        deviations=float((own.mean() - others.mean()) / spread) if spread > 0 else 0.0,
        p=min(1.0, bound * _TESTS),
    )


def backgrounds(material: Material, seen: Background | None) -> list[Finding]:
    """Return a background as a finding, if it is significant and pronounced."""
    if seen is None or not shortcuts.pronounced(seen, _LEAST_EXCESS):
        return []
    title = (
        f"{int(seen.having.sum())} of {len(material.images)} have a {seen.word} background, "
        f"{seen.share_elsewhere:.0%} elsewhere ({seen.deviations:+.1f} sd)"
    )
    figures = {
        "property": seen.quality,
        "word": seen.word,
        "deviations": seen.deviations,
        "threshold": seen.threshold,
    }
    return [shortcuts.finding_of(NAME, material, seen, title, figures)]


def clause(finding: Finding) -> str:
    """Say how many have the background, and whether accuracy differs with it."""
    figures = finding.figures
    text = (
        f"{figures['images']} have a {figures['word']} background "
        f"({figures['share_elsewhere']:.0%} elsewhere)"
    )
    return text + shortcuts.accuracies(figures)


def details(finding: Finding) -> list[str]:
    """Return the figures of a background as printed lines."""
    quality, apart = finding.figures["property"], finding.figures["deviations"]
    return [
        *shortcuts.details(finding),
        f"{quality} {apart:+.1f} standard deviations from other classes.",
    ]


BACKGROUND: Final = Kind(NAME, "background", "#8fd14f", detect, details, clause, overlay=False)
