"""Reading an image file whatever it turns out to be."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mapcap.datasets.attributes import attributes_of
from mapcap.datasets.records import Place
from mapcap.text import clean

# Below Pillow's own limit, whose first effect is only a warning.
MAX_PIXELS = 80_000_000
MAX_BYTES = 256 * 2**20
THUMBNAIL_SIDE = 128
# Nothing else is tried: some of Pillow's readers start other programs (EPS) or are seldom tested.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """An image file as read: either `image` with its size and thumbnail, or `error`.

    `image` is RGB and upright, `width` and `height` are its own. `content_hash` is the SHA-256 of
    the file in hex, None only if the file could not be read at all; `modified` is in nanoseconds,
    or of a URL a number that stands for its tag or date (`remote.Status`); `thumbnail` is WebP;
    `attributes` are figures of the picture, as `attributes_of` gives them.
    """

    content_hash: str | None = None
    file_size: int | None = None
    modified: int | None = None
    image: Image.Image | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None
    error: str | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


def read_image(path: Place) -> LoadedImage:
    """Read an image file; whatever is wrong with it is told in `error` and never raised.

    Orientation is applied, transparency laid over white, 16 bits scaled to 8, and of a moving
    picture or a stack of pages the first is taken. Formats: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF
    and PPM. Files over 256 MB and images over 80 million pixels are not decoded.
    """
    try:
        # A pipe would be waited for without end.
        if isinstance(path, Path) and not path.is_file():
            return LoadedImage(error="no such file")
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
        data = b""
        if size is None or size <= MAX_BYTES:
            data = path.read_bytes() if isinstance(path, Path) else path.read_bytes(MAX_BYTES)
        size = len(data) or size or 0
        if size > MAX_BYTES:
            reason = f"the file is too large: {size:,} bytes"
            return LoadedImage(file_size=size, modified=modified, error=reason)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        return LoadedImage(error=f"cannot be read: {getattr(error, 'strerror', None) or error}")
    content_hash = hashlib.sha256(data).hexdigest()
    try:
        image = _decode(data)
        return LoadedImage(
            content_hash=content_hash,
            file_size=len(data),
            modified=modified,
            image=image,
            width=image.width,
            height=image.height,
            thumbnail=_thumbnail(image),
            attributes=attributes_of(image),
        )
    except Exception as error:  # Pillow's readers raise nearly anything on hostile files.
        return LoadedImage(content_hash, len(data), modified, error=_reason(error, data))


def _decode(data: bytes) -> Image.Image:
    """Return the image in RGB, upright."""
    with Image.open(BytesIO(data), formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
        image.load()
        return upright_rgb(image)


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return an image upright and in RGB: transparency over white, 16 bits scaled to 8."""
    return _rgb(_upright(image))


def _upright(image: Image.Image) -> Image.Image:
    """Apply the orientation that the camera noted; a broken note is no reason to lose the image."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # as above: the note is parsed by the same readers
        return image


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: convert() alone would clip 16 bits and show hidden colours."""
    if image.mode.startswith("I;16"):
        return _from_grey(np.asarray(image) / 257.0)
    if image.mode == "I":
        return _from_grey(np.asarray(image).clip(0, 65535) / 257.0)
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image), posinf=0.0, neginf=0.0).astype(np.float64)
        low, high = values.min(), values.max()
        return _from_grey((values - low) * (255.0 / (high - low) if high > low else 0.0))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("RGB")


def _from_grey(values: np.ndarray) -> Image.Image:
    """Return grey values in [0, 255], (H, W), as an RGB image."""
    return Image.fromarray(values.round().astype(np.uint8)).convert("RGB")


def _thumbnail(image: Image.Image) -> bytes:
    """Return the image as WebP with no side longer than 128 pixels."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    file = BytesIO()
    small.save(file, "WEBP", quality=80)
    return file.getvalue()


def _reason(error: Exception, data: bytes) -> str:
    """Say in one line why an image could not be decoded."""
    if not data:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return f"the image is too large: {clean(str(error))[:100]}"
    return f"cannot be decoded: {clean(str(error))[:200] or type(error).__name__}"
