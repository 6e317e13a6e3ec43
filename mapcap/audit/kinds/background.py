"""Findings of kind `background`: what lies around the objects is unlike other classes'."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit import shortcuts
from mapcap.audit.colours import lab
from mapcap.audit.findings import Finding
from mapcap.audit.inputs import AuditInputs
from mapcap.audit.kind import Kind
from mapcap.audit.material import Material

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
_SHARED = 10.0
"""Units of L*a*b* by which an object must differ from what is called its background."""
_LEAST_GROUND = 0.15
"""Share of a picture below which an object fills the frame."""
_LEAST_JUDGED = 0.5
"""Share of a class's images whose background must be known."""
_AT_ONCE = 256
_LEAST_EXCESS = 0.3
"""By how much more of the class's backgrounds than of others must have what they are said to."""


def detect(inputs: AuditInputs) -> list[Finding]:
    """Return what most of the class's backgrounds have and few others, if it is pronounced."""
    images, reference = inputs.material.images, inputs.material.reference
    others = reference.backgrounds[reference.classes != inputs.material.class_id]
    properties = background_properties(images.pictures, images.grounds)
    return backgrounds(inputs.material, find_background(properties, others))


def background_properties(
    pictures: NDArray[np.uint8], grounds: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return what the backgrounds are like: (n, 5), columns as `PROPERTIES`, NaN where unknown.

    The means of L*, a*, b* and chroma, and the standard deviation of L*, all in units of L*a*b*.
    Nothing is known where the object fills the frame, and no property that the object shares: what
    is called a yellow background may be more of the lemon.

    Args:
        pictures: (n, H, W, 3) in the view that the network saw, sRGB.
        grounds: (n, H, W) which pixels are background.
    """
    parts = [np.empty((0, len(PROPERTIES)))]
    for start in range(0, len(pictures), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        parts.append(_properties(lab(pictures[part]), grounds[part]))
    return np.concatenate(parts)


def _properties(pictures: NDArray[np.float64], ground: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the properties of pictures (n, H, W, 3) in L*a*b*: (n, 5)."""
    values = np.concatenate([pictures, np.hypot(pictures[..., 1:2], pictures[..., 2:3])], axis=-1)
    inside, outside = _means(values, ~ground), _means(values, ground)  # (n, 4)
    spread = _means((pictures[..., :1] - outside[:, None, None, :1]) ** 2, ground) ** 0.5
    shared = np.abs(outside - inside) < _SHARED
    properties = np.column_stack([np.where(shared, np.nan, outside), spread])
    properties[ground.mean((1, 2)) < _LEAST_GROUND] = np.nan
    return properties


def _means(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the means of values (n, H, W, c) where a mask (n, H, W) holds: (n, c)."""
    sums = np.einsum("nhwc,nhw->nc", values, mask)
    counts = mask.sum((1, 2))[:, None]
    means: NDArray[np.float64] = np.divide(
        sums, counts, out=np.full_like(sums, np.nan), where=counts > 0
    )
    return means


@dataclass(frozen=True, eq=False)
class Background:
    """What a class's backgrounds have that few of other classes have.

    `having` (n,) says which images have it, `judged` of how many it is known; `share` and
    `share_elsewhere` are the shares of those of the class and of the others; `deviations` is the
    distance of the means in standard deviations of the others, with its sign; `p` is times the
    number of properties tried.
    """

    quality: str
    word: str
    having: NDArray[np.bool_]
    judged: int
    threshold: float
    share: float
    share_elsewhere: float
    deviations: float
    p: float

    @property
    def excess(self) -> float:
        """How much larger the class's share is."""
        return self.share - self.share_elsewhere


def find_background(members: NDArray[np.float64], others: NDArray[np.float64]) -> Background | None:
    """Return the property in which a class's backgrounds differ most from those of the others.

    A background is called dark, plain and so on where at most a fifth of the other classes'
    images are as dark or plain; within that limit the value is taken that parts class and others
    best. The property and direction that part best are returned, or one that parts nearly as well
    and stands before it in `PROPERTIES`: a black background is also grey. The p is that of the
    one-sided Kolmogorov-Smirnov test for a difference as large, by its bound
    exp(-2 D^2 nm / (n + m)) (Smirnov 1944). A property counts where it is known of half of the
    class. None where a side has no image, or no property parts.

    Args:
        members: (n, 5) of the class, NaN where unknown, as `background_properties` gives them.
        others: (m, 5) of images of other classes.
    """
    if not len(members) or not len(others):
        return None
    candidates = [
        compared
        for column in range(len(PROPERTIES))
        for direction in (0, 1)
        if (compared := _compared(members[:, column], others[:, column], column, direction))
    ]
    most = max((background.excess for background in candidates), default=0.0)
    return next((candidate for candidate in candidates if candidate.excess >= _NEARLY * most), None)


def _compared(
    members: NDArray[np.float64], others: NDArray[np.float64], column: int, direction: int
) -> Background | None:
    """Return how far a class's values lie below (direction 0) or above the others'."""
    sign, name = 1 if direction == 0 else -1, PROPERTIES[column]
    judged, others = members[~np.isnan(members)], others[~np.isnan(others)]
    if not len(others) or len(judged) < _LEAST_JUDGED * len(members):
        return None
    below, above = np.sort(sign * judged), np.sort(sign * others)
    elsewhere = np.searchsorted(above, below, side="right") / len(above)
    excess = np.searchsorted(below, below, side="right") / len(below) - elsewhere
    # A colour must be that colour, not only less of the opposite one.
    coloured = below <= -_COLOURED if name in _OPPOSED else np.ones(len(below), bool)
    allowed = np.flatnonzero((elsewhere <= _RARE) & coloured & (excess > 0))
    if not allowed.size:
        return None
    place = allowed[excess[allowed].argmax()]
    having = sign * members <= below[place]
    spread = others.std()
    n, m = len(judged), len(others)
    bound = float(np.exp(-2 * excess[place] ** 2 * n * m / (n + m)))
    return Background(
        quality=name,
        word=_WORDS[name][direction],
        having=having,
        judged=n,
        threshold=float(sign * below[place]),
        share=float(having.sum() / n),
        share_elsewhere=float(elsewhere[place]),
        deviations=float((judged.mean() - others.mean()) / spread) if spread > 0 else 0.0,
        p=min(1.0, bound * _TESTS),
    )


def backgrounds(material: Material, background: Background | None) -> list[Finding]:
    """Return a background as a finding, if it is significant and pronounced."""
    if background is None or not shortcuts.pronounced(background, _LEAST_EXCESS):
        return []
    title = (
        f"{int(background.having.sum())} of {len(material.images)} have a {background.word} "
        f"background, {background.share_elsewhere:.0%} elsewhere ({background.deviations:+.1f} sd)"
    )
    figures = {
        "property": background.quality,
        "word": background.word,
        "deviations": background.deviations,
        "threshold": background.threshold,
        "judged": background.judged,
    }
    return [shortcuts.finding_of(NAME, material, background, title, figures, background.word)]


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
        f"Known of {finding.figures['judged']}: of others the object fills the frame or shares it.",
    ]


BACKGROUND: Final = Kind(
    NAME, "background", "#8fd14f", detect, details, clause, overlay=False, of_errors=False
)
