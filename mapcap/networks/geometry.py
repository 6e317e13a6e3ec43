"""The part of a picture that a network sees: resize and crop, forwards and backwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the far edges (exclusive), so x1 - x0 is the width."""

Size = tuple[int, int]
"""Height, width in pixels."""


def whole_pixels(box: Box) -> tuple[int, int, int, int]:
    """Return a box in whole pixels, to crop by: at least one of them either way."""
    left, top = int(box[0]), int(box[1])
    return left, top, max(left + 1, round(box[2])), max(top + 1, round(box[3]))


@dataclass(frozen=True)
class Sight:
    """What a network sees of any picture."""

    size: Size
    """Height and width of its input."""
    resize_mode: str
    """`shortest` (then a centre crop), `longest` (then padding) or `squash`."""

    def view(self, width: int, height: int) -> "View":
        """Return what the network sees of a picture of `width` x `height` pixels."""
        return View.of({"size": self.size, "resize_mode": self.resize_mode}, width, height)


@dataclass(frozen=True)
class View:
    """How one picture becomes the network's input: resized, then cropped or padded.

    Coordinates are continuous (pixel i spans i to i + 1), so the maps are exact for edges.
    """

    original: Size
    """Size of the picture."""
    resized: Size
    """Size after the resize."""
    offset: tuple[int, int]
    """Top and left of the crop in the resized picture; negative where it was padded."""
    input: Size
    """Size of the network's input."""

    @classmethod
    def of(cls, preprocess: Mapping[str, Any], width: int, height: int) -> "View":
        """Work out the view of a picture of `width` x `height` pixels.

        `preprocess` is open_clip's `preprocess_cfg` (`size`, `resize_mode`); `scale` is the size
        that is resized to where more is cropped off (timm's `crop_pct`). The rounding is that
        of torchvision's Resize and CenterCrop (shortest side, square input) and of open_clip's
        ResizeKeepRatio and CenterCropOrPad (the others); `squash` changes the aspect instead.

        Raises:
            ValueError: an unknown resize mode, or a picture without pixels.
        """
        if width < 1 or height < 1:
            raise ValueError(f"a picture of {width} x {height} pixels has no view")
        size = preprocess["size"]
        target: Size = (size, size) if isinstance(size, int) else (size[0], size[-1])
        scale: Size = preprocess.get("scale") or target
        resized = _resized((height, width), scale, preprocess.get("resize_mode") or "shortest")
        top, left = (_offset(have, want) for have, want in zip(resized, target, strict=True))
        return cls((height, width), resized, (top, left), target)

    @property
    def window(self) -> Box:
        """The whole input as a box in the original; beyond its bounds where it was padded."""
        return self._unscale((0.0, 0.0, float(self.input[1]), float(self.input[0])))

    def cut(self, picture: Image.Image, size: Size) -> NDArray[np.uint8]:
        """Return what the network sees of the picture, or of a smaller copy, as (*size, 3) RGB."""
        across, down = picture.width / self.original[1], picture.height / self.original[0]
        left, top, right, bottom = (
            round(edge * scale) for edge, scale in zip(self.window, (across, down) * 2, strict=True)
        )
        # Beyond the picture's bounds, where the view is padded, `crop` gives black.
        seen = picture.crop((left, top, max(left + 1, right), max(top + 1, bottom)))
        return np.asarray(seen.convert("RGB").resize(size[::-1], Image.Resampling.BOX))

    def to_original(self, box: Box) -> Box:
        """Map a box in the network's input to the original picture, clipped to its bounds."""
        return _clip(self._unscale(box), self.original)

    def from_original(self, box: Box) -> Box:
        """Map a box in the original picture to the network's input, clipped to its bounds.

        A box that the crop cuts off entirely comes back with no area, on the edge.
        """
        (top, left), (scale_y, scale_x) = self.offset, self._scale()
        x0, y0, x1, y1 = box
        inside = (
            x0 * scale_x - left,
            y0 * scale_y - top,
            x1 * scale_x - left,
            y1 * scale_y - top,
        )
        return _clip(inside, self.input)

    def _unscale(self, box: Box) -> Box:
        (top, left), (scale_y, scale_x) = self.offset, self._scale()
        x0, y0, x1, y1 = box
        return (
            (x0 + left) / scale_x,
            (y0 + top) / scale_y,
            (x1 + left) / scale_x,
            (y1 + top) / scale_y,
        )

    def _scale(self) -> tuple[float, float]:
        return self.resized[0] / self.original[0], self.resized[1] / self.original[1]


def _resized(original: Size, target: Size, mode: str) -> Size:
    if mode == "squash":
        return target
    if mode not in ("shortest", "longest"):
        raise ValueError(f"unknown resize mode {mode!r}")
    if mode == "shortest" and target[0] == target[1]:
        height, width = original
        if width <= height:
            return int(target[0] * height / width), target[0]
        return target[0], int(target[0] * width / height)
    ratios = [have / want for have, want in zip(original, target, strict=True)]
    ratio = max(ratios) if mode == "longest" else min(ratios)
    return round(original[0] / ratio), round(original[1] / ratio)


def _offset(have: int, want: int) -> int:
    return -((want - have) // 2) if want > have else round((have - want) / 2)


def _clip(box: Box, size: Size) -> Box:
    height, width = size
    x0, y0, x1, y1 = box
    return (
        min(max(x0, 0.0), width),
        min(max(y0, 0.0), height),
        min(max(x1, 0.0), width),
        min(max(y1, 0.0), height),
    )
