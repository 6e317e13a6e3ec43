"""One photo as the network is shown it: as it is, or cropped, mirrored and in other colours."""

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from scripts.build_mini.assemble import SIZE
from scripts.build_mini.photos import Box

_TRIES = 10
_LEAST_OF_THE_BOX = 0.4
"""A crop shows at least this share of the object's box."""
_LEAST_SIDE = 16
_JITTER, _GREY, _MIRROR = 0.6, 0.08, 0.5
_TINY = 64
"""Side of TinyImageNet's photos."""
_HUE = 8
"""Of 256 steps around the circle."""


@dataclass(frozen=True)
class View:
    """A square picture and the object's box in it, x0 y0 x1 y1 as shares of the side."""

    picture: Image.Image
    box: tuple[float, float, float, float]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The picture as (SIZE, SIZE, 3)."""
        return np.asarray(self.picture)


def plain(photo: Image.Image, box: Box) -> View:
    """Show the whole photo."""
    return _shown(photo, box, (0, 0, *photo.size))


def varied(photo: Image.Image, box: Box, rng: random.Random) -> View:
    """Show a random crop, perhaps mirrored, in other light and colours, now and then in grey."""
    view = _shown(photo, box, _crop(photo.size, box, rng))
    picture = view.picture
    x0, y0, x1, y1 = view.box
    if rng.random() < _MIRROR:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        x0, x1 = 1 - x1, 1 - x0
    if rng.random() < _JITTER:
        picture = _recoloured(picture, rng)
    if rng.random() < _GREY:
        picture = picture.convert("L").convert("RGB")
    return View(picture, (x0, y0, x1, y1))


def of_people(photo: Image.Image, turn: int, rng: random.Random) -> View:
    """Show a photo that has sentences instead of a box: as it is, small, or varied, by turns.

    Turn 0 is what the network is given in use. In every second turn the photo is first shrunk to
    the size of TinyImageNet's, so that sharpness does not tell one data set from the other.
    """
    if turn % 2:
        photo = photo.resize((_TINY, _TINY), Image.Resampling.BOX)
    whole = (0, 0, *photo.size)
    if turn == 0:
        return _shown(photo, whole, _middle(photo.size))
    return plain(photo, whole) if turn == 1 else varied(photo, whole, rng)


def _middle(size: tuple[int, int]) -> Box:
    """The largest square in the middle."""
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return left, top, left + side, top + side


def _shown(photo: Image.Image, box: Box, window: Box) -> View:
    left, top, right, bottom = window
    width, height = right - left, bottom - top
    x0, y0, x1, y1 = _intersection(box, window)
    picture = photo.crop(window).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    inside = ((x0 - left) / width, (y0 - top) / height, (x1 - left) / width, (y1 - top) / height)
    return View(picture, inside)


def _crop(size: tuple[int, int], box: Box, rng: random.Random) -> Box:
    """Choose a window of 0.3 to 1 of the photo's area that shows enough of the box."""
    width, height = size
    for _ in range(_TRIES):
        side, aspect = rng.uniform(0.3, 1) ** 0.5, rng.uniform(0.8, 1.25) ** 0.5
        w = min(width, max(_LEAST_SIDE, round(width * side * aspect)))
        h = min(height, max(_LEAST_SIDE, round(height * side / aspect)))
        left, top = rng.randint(0, width - w), rng.randint(0, height - h)
        window = (left, top, left + w, top + h)
        if _area(_intersection(box, window)) >= _LEAST_OF_THE_BOX * _area(box):
            return window
    return 0, 0, width, height


def _intersection(box: Box, window: Box) -> Box:
    x0, y0 = max(box[0], window[0]), max(box[1], window[1])
    return x0, y0, min(box[2], window[2]), min(box[3], window[3])


def _area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def _recoloured(picture: Image.Image, rng: random.Random) -> Image.Image:
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.65, 1.35))
    picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.7, 1.3))
    picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.6, 1.4))
    hsv = np.array(picture.convert("HSV"))
    hsv[..., 0] = (hsv[..., 0].astype(int) + rng.randint(-_HUE, _HUE)) % 256
    return Image.fromarray(hsv, "HSV").convert("RGB")
