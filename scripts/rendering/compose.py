"""Put a cut-out on a background: light, shadow, and the alpha mask and box that are the truth."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from scripts.rendering.backgrounds import KINDS, Shadow, background

__all__ = ["KINDS", "Composite", "Shadow", "background", "compose", "load_cutout", "mask_box"]

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

SOLID = 64  # an alpha of a quarter: fainter pixels are the soft edge, not the object
LARGEST = 512  # longer side of a loaded cut-out; the pictures are far smaller
MARGIN = 0.02  # of the side, kept free around the object
STANDING_TILT = 6.0  # degrees; what stands on the ground leans no further
FOOT = (0.74, 0.95)  # where the feet of a standing object may be, of the side


class Composite(NamedTuple):
    """A picture (H, W, 3), the object's alpha (H, W), both uint8, and its half-open pixel box."""

    image: Pixels
    alpha: Pixels
    box: Box


def mask_box(alpha: Pixels) -> Box:
    """Return the smallest half-open box (x0, y0, x1, y1) that holds every solid pixel.

    Raises ValueError where no pixel is solid.
    """
    ys, xs = np.nonzero(alpha >= SOLID)
    if not len(xs):
        raise ValueError("no solid pixel in the alpha mask")
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def load_cutout(path: Path) -> Pixels:
    """Read a picture with alpha, trimmed to its solid pixels: (h, w, 4), longer side <= 512."""
    with Image.open(path) as file:
        cutout = file.convert("RGBA")
    cutout = cutout.crop(mask_box(np.asarray(cutout.getchannel("A"))))
    cutout.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return np.asarray(cutout)


def compose(
    cutout: Pixels,
    background: Pixels,
    rng: np.random.Generator,
    scale: float,
    *,
    shadow: Shadow = "none",
    mirror: bool = True,
    rotation: float = 8.0,
) -> Composite:
    """Place a cut-out (h, w, 4) on a square background (S, S, 3) at random, wholly inside it.

    The longer side of the object becomes `scale` of the picture's side, its aspect is kept. It is
    turned by at most `rotation` degrees, mirrored half the time if `mirror`, lit a little by the
    background's colour, and casts `shadow`; with `contact` it stands in the lower part.
    """
    size = background.shape[0]
    limit = min(rotation, STANDING_TILT) if shadow == "contact" else rotation
    angle = rng.uniform(-limit, limit)
    flip = mirror and bool(rng.random() < 0.5)
    stamp = _transform(cutout, round(scale * size), angle, flip)
    canvas = Image.new("RGBA", (size, size))
    canvas.paste(stamp, _corner(stamp.size, size, rng, shadow))
    pasted = np.asarray(canvas)
    alpha = pasted[..., 3]
    ground = background * (1.0 - _shadow(alpha, shadow)[..., None])
    weight = alpha[..., None] / 255.0
    image = ground * (1.0 - weight) + _lit(pasted[..., :3], background) * weight
    return Composite(np.clip(image + 0.5, 0, 255).astype(np.uint8), alpha, mask_box(alpha))


def _transform(cutout: Pixels, longer: int, angle: float, flip: bool) -> Image.Image:
    """Mirror, turn, trim and resize a cut-out until its longer side has `longer` pixels."""
    stamp = Image.fromarray(cutout)
    if flip:
        stamp = ImageOps.mirror(stamp)
    stamp = stamp.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    stamp = stamp.crop(mask_box(np.asarray(stamp.getchannel("A"))))
    ratio = longer / max(stamp.size)
    width, height = (max(1, round(side * ratio)) for side in stamp.size)
    return stamp.resize((width, height), Image.Resampling.LANCZOS)


def _corner(
    stamp: tuple[int, int], size: int, rng: np.random.Generator, shadow: Shadow
) -> tuple[int, int]:
    """Choose where the upper left corner goes."""
    lowest, free = MARGIN * size, [(1.0 - MARGIN) * size - side for side in stamp]
    x = rng.uniform(lowest, max(lowest, free[0]))
    if shadow == "contact":
        y = rng.uniform(*FOOT) * size - stamp[1]
    else:
        y = rng.uniform(lowest, max(lowest, free[1]))
    return round(x), round(float(np.clip(y, lowest, max(lowest, free[1]))))


def _lit(colours: Pixels, background: Pixels) -> npt.NDArray[np.float64]:
    """Tint the object by the background's mean colour and brightness, a little."""
    mean = background.reshape(-1, 3).mean(axis=0)  # (3,)
    grey = max(float(mean.mean()), 1.0)
    gain = np.clip((grey / 120.0) ** 0.3, 0.82, 1.06)
    return np.asarray(colours * gain * (1.0 + 0.12 * (mean / grey - 1.0)))


def _shadow(alpha: Pixels, shadow: Shadow) -> npt.NDArray[np.float64]:
    """Return how much light the object takes from each pixel: (S, S) in [0, 1]."""
    size = alpha.shape[0]
    if shadow == "none":
        return np.zeros(alpha.shape)
    cast = Image.new("L", (size, size))
    x0, y0, x1, y1 = mask_box(alpha)
    outline = Image.fromarray(alpha).crop((x0, y0, x1, y1))
    if shadow == "contact":
        flat = max(3, round(0.16 * (y1 - y0)))
        corner = (x0 + round(0.01 * size), y1 - round(0.6 * flat))
        cast.paste(outline.resize((x1 - x0, flat)), corner)
    else:
        cast.paste(outline, (x0 + round(0.020 * size), y0 + round(0.028 * size)))
    return 0.5 * np.asarray(cast.filter(ImageFilter.GaussianBlur(0.018 * size))) / 255.0
