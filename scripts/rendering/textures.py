"""The brushes that the backgrounds are painted with: noise, ramps, strokes and scattered shapes."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Floats = npt.NDArray[np.float32]
Colour = tuple[int, int, int]
# points (n, 2) as x, y in units of the side; a colour; the line's width, or None for a filled shape
Shape = tuple[Floats, Colour, float | None]

SUPERSAMPLE = 2


def noise(
    size: int,
    rng: np.random.Generator,
    slope: float = 1.5,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Floats:
    """Draw tileable multi-octave noise whose amplitude falls as 1 / frequency ** slope.

    `stretch` (x, y) makes the features longer along an axis. Returns (size, size) with mean 0 and
    standard deviation 1.
    """
    fy = np.fft.fftfreq(size)[:, None] * stretch[1]
    fx = np.fft.rfftfreq(size)[None, :] * stretch[0]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = np.inf  # no constant part
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) / frequency**slope
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(field / field.std(), dtype=np.float32)


def shade(values: npt.ArrayLike, colours: Sequence[Colour]) -> Floats:
    """Map values in [0, 1] (clipped) onto evenly spaced colours: (...) -> (..., 3) in 0..255."""
    values = np.asarray(values, dtype=np.float32)
    at = np.linspace(0.0, 1.0, len(colours))
    channels = [np.interp(values, at, [colour[c] for colour in colours]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def rows(size: int) -> Floats:
    """Return 0 at the top to 1 at the bottom, (size, 1)."""
    return np.linspace(0.0, 1.0, size, dtype=np.float32)[:, None]


def ramp(size: int, colours: Sequence[Colour]) -> Floats:
    """Paint a vertical gradient through the colours, top to bottom: (size, size, 3)."""
    return np.broadcast_to(shade(rows(size), colours), (size, size, 3)).copy()


def step(values: npt.ArrayLike, low: float, high: float) -> Floats:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((np.asarray(values, dtype=np.float32) - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def mix(below: Floats, above: Floats | Colour, weight: Floats) -> Floats:
    """Lay `above` over `below` with a weight (size, size) or (size, 1) in [0, 1]."""
    weight = weight[..., None]
    return np.asarray(below * (1.0 - weight) + np.asarray(above) * weight, dtype=np.float32)


def picks(
    rng: np.random.Generator, colours: Sequence[Colour], count: int, amount: float = 14.0
) -> list[Colour]:
    """Choose `count` of the colours, each shifted a little in lightness and less in hue."""
    chosen = np.asarray(colours)[rng.integers(len(colours), size=count)]  # (count, 3)
    shift = rng.normal(0.0, amount, (count, 1)) + rng.normal(0.0, amount / 3.0, (count, 3))
    return [(r, g, b) for r, g, b in np.clip(chosen + shift, 0, 255).astype(int).tolist()]


def pick(rng: np.random.Generator, colours: Sequence[Colour], amount: float = 14.0) -> Colour:
    """Choose one of the colours and shift it a little."""
    return picks(rng, colours, 1, amount)[0]


def vary(colour: Colour, rng: np.random.Generator, amount: float = 14.0) -> Colour:
    """Shift a colour a little in lightness and less in hue."""
    return picks(rng, (colour,), 1, amount)[0]


def times(colour: Colour, factor: float) -> Colour:
    """Darken (below 1) or lighten (above 1) a colour."""
    r, g, b = (max(0, min(255, round(value * factor))) for value in colour)
    return r, g, b


def to_image(field: Floats) -> Image.Image:
    """Turn (H, W, 3) floats into a picture, clipped to 0..255."""
    return Image.fromarray(np.clip(field + 0.5, 0, 255).astype(np.uint8))


def blur(field: Floats, radius: float) -> Floats:
    """Blur (H, W, 3) by a Gaussian of `radius` pixels."""
    return np.asarray(to_image(field).filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)


def draw(field: Floats, shapes: Iterable[Shape]) -> Floats:
    """Draw shapes, given in units of the picture's side, over a field with smooth edges."""
    size = field.shape[0]
    big = to_image(field).resize((size * SUPERSAMPLE,) * 2, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(big)
    for points, colour, width in shapes:
        flat = (points * (size * SUPERSAMPLE)).ravel().tolist()
        if width is None:
            pen.polygon(flat, fill=colour)
        else:
            pen.line(flat, fill=colour, width=max(1, round(width * size * SUPERSAMPLE)))
    return np.asarray(big.resize((size, size), Image.Resampling.BOX), dtype=np.float32)


def blades(
    rng: np.random.Generator,
    count: int,
    top: float,
    length: float,
    colours: Sequence[Colour],
) -> Iterator[Shape]:
    """Grow grass from `top` (0 to 1) down to the lower edge, longer and later the nearer it is."""
    near = np.sort(rng.random(count))
    tall = length * (0.25 + 0.75 * near) * rng.uniform(0.6, 1.3, count)
    x, y = rng.uniform(-0.02, 1.02, count), top + (1.08 - top) * near + 0.2 * tall
    lean = rng.normal(0.0, 0.35, count) * tall
    across = np.stack([x, x + 0.4 * lean, x + lean], axis=1)  # (count, 3)
    up = np.stack([y, y - 0.6 * tall, y - tall], axis=1)  # (count, 3)
    points = np.stack([across, up], axis=2).astype(np.float32)  # (count, 3, 2)
    for line, colour in zip(points, picks(rng, colours, count), strict=True):
        yield line, colour, 0.006


def disc(size: int, x: float, y: float, radius: float) -> Floats:
    """Return the weight (size, size) of a disc with a soft edge; the unit is the side."""
    across = np.linspace(0.0, 1.0, size, dtype=np.float32)[None, :]
    return 1.0 - step(np.hypot(across - x, rows(size) - y), 0.8 * radius, 1.1 * radius)


def ellipse(
    x: float, y: float, radii: tuple[float, float], angle: float, colour: Colour, ends: float = 1.0
) -> Shape:
    """Return a filled ellipse; `ends` above 1 sharpens its ends to a leaf's."""
    turn = np.linspace(0.0, 2.0 * np.pi, 18, endpoint=False)
    along = radii[0] * np.cos(turn)
    across = radii[1] * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** ends
    cos, sin = np.cos(angle), np.sin(angle)
    points = np.stack([x + along * cos - across * sin, y + along * sin + across * cos], axis=1)
    return points.astype(np.float32), colour, None
