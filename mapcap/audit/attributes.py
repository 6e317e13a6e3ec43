"""Attributes of photos, and the cut by which the misclassified ones of a class differ most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mapcap.audit.material import Material
from mapcap.stats import permutation, permutations

_DRAWS = 999
_FEWEST, _LEAST_SHARE = 4, 0.08
"""Images on each side of a cut, below which it is not tried."""
_EVEN, _GAPS = 9, 3
"""Cuts at even steps of rank, and at the widest gaps between values."""
_RARE = 0.2
"""Most of the other classes' images that may be so, to say blurred instead of less sharp."""
_SANE = 1e6
_KNOWN = 0.9
"""Share of a class's images that must have an attribute for it to be tested."""


@dataclass(frozen=True)
class Attribute:
    """A figure of every photo, and what images with little or much of it are called.

    `low` and `high` are (rare, frequent): the words for images that are so in few of the other
    classes' images, and in many. `{cut}` stands for the value; it is printed times `scale`.
    """

    name: str
    label: str
    low: tuple[str, str]
    high: tuple[str, str]
    scale: float = 1.0
    unit: str = ""


def _counted(name: str, label: str, text: str, scale: float = 1.0, unit: str = "") -> Attribute:
    """Return an attribute that is told by its value: `text` has a place for under or over it."""
    low, high = (text.format(f"{side} {{cut}}") for side in ("under", "over"))
    return Attribute(name, label, (low, low), (high, high), scale, unit)


_SHARE: Final = (100.0, " %")

# Of attributes that mark the same images the first stands for all: causes before what they cause.
# How far the relevance spreads, and over how many regions, is none: of an image that the model
# misjudges the map for its own class is a symptom.
ATTRIBUTES: Final = (
    Attribute(
        "border", "Share in a flat border", ("without a border",) * 2, ("framed ones",) * 2,
        *_SHARE,
    ),
    _counted("object", "Object's size", "in which the object covers {} of the picture", *_SHARE),
    Attribute(
        "offset",
        "Object's distance from the middle",
        ("with the object in the middle",) * 2,
        ("with the object away from the middle",) * 2,
        *_SHARE,
    ),
    _counted("detail", "Part with the detail", "with the detail in {} of the picture", *_SHARE),
    Attribute(
        "sharpness", "Sharpness", ("blurred ones", "less sharp ones"),
        ("sharp ones", "sharper ones"),
    ),
    Attribute(
        "chroma", "Colourfulness", ("grey ones", "less colourful ones"),
        ("colourful ones", "more colourful ones"), unit=" %",
    ),
    Attribute(
        "brightness", "Brightness", ("dark ones", "darker ones"), ("bright ones", "brighter ones"),
        unit=" %",
    ),
    Attribute(
        "contrast", "Contrast", ("low-contrast ones", "with less contrast"),
        ("high-contrast ones", "with more contrast"), unit=" %",
    ),
    Attribute(
        "red", "Red against green", ("greenish ones", "less reddish ones"),
        ("reddish ones", "more reddish ones"), unit=" %",
    ),
    Attribute(
        "blue", "Blue against yellow", ("yellowish ones", "less bluish ones"),
        ("bluish ones", "more bluish ones"), unit=" %",
    ),
    Attribute(
        "noise", "Noise and fine texture", ("smooth ones", "smoother ones"),
        ("noisy ones", "with more noise or texture"), unit=" %",
    ),
    _counted("compression", "Bytes a pixel", "with {} bytes a pixel"),
    _counted("side", "Shorter side in pixels", "with {} pixels along the shorter side"),
    Attribute(
        "aspect", "Width by height", ("tall ones", "less wide ones"),
        ("wide ones", "wider ones"),
    ),
)  # fmt: skip

_STORED: Final = (
    "border", "detail", "sharpness", "chroma", "brightness", "contrast", "red", "blue", "noise",
)  # fmt: skip


def attribute_row(
    stored: Any,
    size: tuple[int, int],
    file_size: int | None,
    box: tuple[float, float, float, float] | None,
) -> list[float]:
    """Return the attributes of a photo in the order of `ATTRIBUTES`, NaN where one is not known.

    Args:
        stored: figures of its pixels by name, as a file has them: what is no number is not known.
        size: (width, height) in pixels.
        file_size: in bytes.
        box: of its object, in pixels: x0, y0, x1, y1.
    """
    given = stored if isinstance(stored, Mapping) else {}
    values = {name: _number(given.get(name)) for name in _STORED}
    width, height = size
    values |= {
        "compression": file_size / (width * height) if file_size else np.nan,
        "side": float(min(size)),
        "aspect": width / height,
    }
    if box is not None:
        x0, y0, x1, y1 = box
        values["object"] = max(0.0, x1 - x0) * max(0.0, y1 - y0) / (width * height)
        away = (x0 + x1) / width - 1, (y0 + y1) / height - 1
        values["offset"] = float(np.hypot(*away))
    return [values.get(attribute.name, np.nan) for attribute in ATTRIBUTES]


def _number(value: Any) -> float:
    """Return a value if it is a number of a sane size, else NaN."""
    valid = isinstance(value, int | float) and abs(value) < _SANE
    return float(value) if valid else np.nan


@dataclass(frozen=True, eq=False)
class Cut:
    """The part of a class by one attribute in which images are misclassified more often.

    `column` is the attribute's place; `above` says whether the part has values over `value` or
    under it; `having` (n,) are its images. `z` is the standardised excess of misclassified images,
    `p` that of a permutation test over every cut and both sides, `tests` the attributes tested.
    """

    column: int
    above: bool
    value: float
    having: NDArray[np.bool_]
    z: float
    p: float
    tests: int


def find_cuts(values: NDArray[np.float64], wrong: NDArray[np.bool_], *, seed: int) -> list[Cut]:
    """Return for each attribute the cut that parts misclassified from correct images best.

    Cuts are placed without a look at correctness. The statistic is the largest standardised excess
    over the cuts, a maximally selected one (Miller & Siegmund 1982, doi 10.2307/2529881); its p is
    that of the same figure with correctness permuted over the images, so that the choice of the
    cut is paid for.

    Args:
        values: (n, A), NaN where not known; attributes known of too few images are left out.
        wrong: (n,) which images are misclassified.
        seed: of the permutations.
    """
    n = len(wrong)
    if not 0 < wrong.sum() < n:
        return []
    least = max(_FEWEST, int(np.ceil(_LEAST_SHARE * n)))
    columns, cuts, parts = [], [], []
    for column in range(values.shape[1]):
        given = values[:, column]
        if np.isfinite(given).mean() < _KNOWN:
            continue
        for cut in _places(given, least):
            columns.append(column)
            cuts.append(cut)
            parts.append(given > cut)
    if not parts:
        return []
    inside = np.array(parts, float).T  # (n, C)
    splits = permutations(wrong, seed=seed, draws=_DRAWS)
    sizes, share = inside.sum(0), wrong.mean()
    spread = np.sqrt(sizes * (n - sizes) * share * (1 - share) / (n - 1))
    z = (splits @ inside - sizes * share) / spread  # (draws + 1, C)
    tested = sorted(set(columns))
    return [_best(column, np.array(columns), cuts, values, z, len(tested)) for column in tested]


def _best(
    column: int,
    columns: NDArray[np.int64],
    cuts: Sequence[float],
    values: NDArray[np.float64],
    z: NDArray[np.float64],
    tests: int,
) -> Cut:
    """Return the cut of one attribute with the largest excess on either side."""
    candidates = np.flatnonzero(columns == column)
    place = candidates[np.abs(z[0, candidates]).argmax()]
    above, value = bool(z[0, place] > 0), cuts[place]
    given = values[:, column]
    p = permutation(-np.abs(z[:, candidates]).max(1))
    having = given > value if above else given <= value
    return Cut(column, above, value, having, float(abs(z[0, place])), p, tests)


def _places(given: NDArray[np.float64], least: int) -> list[float]:
    """Return values between images, at even steps of rank and in the widest gaps."""
    ordered = np.sort(given[np.isfinite(given)])
    gaps = np.diff(ordered)
    ends = np.flatnonzero(gaps > 0)  # the last image under each possible cut
    ends = ends[(ends + 1 >= least) & (len(ordered) - ends - 1 >= least)]
    if not ends.size:
        return []
    even = ends[np.unique(np.linspace(0, len(ends) - 1, _EVEN).round().astype(int))]
    widest = ends[np.argsort(-gaps[ends], kind="stable")[:_GAPS]]
    chosen = np.union1d(even, widest)
    middles: list[float] = ((ordered[chosen] + ordered[chosen + 1]) / 2).tolist()
    return middles


def share_elsewhere(material: Material, cut: Cut) -> float | None:
    """Return which share of other classes' images a cut holds; None where none has the figure."""
    reference = material.reference
    values = reference.attributes[reference.classes != material.class_id, cut.column]
    finite = values[np.isfinite(values)]
    return float(((finite > cut.value) == cut.above).mean()) if len(finite) else None


def text_of(attribute: Attribute, cut: Cut, *, rare: float | None) -> str:
    """Return what the images of a cut are called; `rare` is the share of others that are so."""
    words = attribute.high if cut.above else attribute.low
    text = words[0] if rare is not None and rare <= _RARE else words[1]
    return text.format(cut=value_of(attribute, cut.value))


def value_of(attribute: Attribute, value: float) -> str:
    """Return a value of an attribute as a person reads it."""
    scaled = attribute.scale * value
    return f"{scaled:.0f}{attribute.unit}" if abs(scaled) >= 10 else f"{scaled:.2g}{attribute.unit}"
