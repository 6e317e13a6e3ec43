"""Reading an image file whatever it turns out to be."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image

from mapcap.datasets.attributes import attributes_of
from mapcap.datasets.decoding import decode, explain, size_in
from mapcap.datasets.records import Place
from mapcap.datasets.remote import Url

MAX_BYTES = 256 * 2**20
THUMBNAIL_SIDE = 128
_QUALITY = 50
_ENOUGH = 16 * THUMBNAIL_SIDE
"""Pixels of a side beyond which a thumbnail is made from a smaller copy, not from a whole one."""


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
    and PPM, whatever the file is called. Files over 256 MB, images over 80 million pixels and
    strips longer than 100 times their width are not decoded.
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
        image = decode(data)
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
        return LoadedImage(content_hash, len(data), modified, error=explain(error, data))


def size_of(path: Place) -> tuple[int, int] | None:
    """Return width and height of an image file, upright; None where it cannot be read."""
    try:
        if isinstance(path, Url):
            data = path.read_bytes(MAX_BYTES)
            return size_in(data) if len(data) <= MAX_BYTES else None
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        return size_in(path.read_bytes())
    except Exception:  # as below: reading it says why
        return None


def _thumbnail(image: Image.Image) -> bytes:
    """Return the image as WebP with no side longer than 128 pixels."""
    factor = max(image.size) // _ENOUGH
    small = image.reduce(factor) if factor > 1 else image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    file = BytesIO()
    small.save(file, "WEBP", quality=_QUALITY)
    return file.getvalue()
