"""The one way from a file's bytes to a picture: for the index, the app and the notebook alike."""

import struct
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mapcap.datasets.content import HEAD, describe_content
from mapcap.text import clean

MAX_PIXELS: Final = 80_000_000
"""Below Pillow's own limit, whose first effect is only a warning."""
MAX_ASPECT: Final = 100
"""Longer strips are refused: a network that enlarges the short side would take gigabytes."""
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
"""Nothing else is tried: some of Pillow's readers start programs (EPS) or are seldom tested."""

_LARGE: Final = 12_000_000
"""Pixels from which on one picture at a time is decoded, so that threads do not add up."""
_ONE_AT_A_TIME: Final = threading.Lock()
_STRIP: Final = 1 << 21
"""Pixels that are converted at once: wide numbers of a whole picture would take gigabytes."""
_LARGEST_PROFILE: Final = 4 << 20
_KEPT_CHUNKS: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"fcTL"}
)
"""What of a PNG says what its pixels are; profiles and texts may be anything, of any size."""
_XMP: Final = b"XML:com.adobe.xmp\0\0"
_LONGEST_XMP: Final = 1 << 18
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_RAW_TAG: Final = 50706  # DNGVersion
_REDUCED, _MORE_IMAGES = 254, 330  # NewSubfileType, SubIFDs


class Refused(ValueError):
    """A picture that is not decoded; the message is the reason."""


def decode(data: bytes, *, least: tuple[int, int] | None = None) -> Image.Image:
    """Return a picture upright and in RGB, of several the first.

    With `least`, a large JPEG may come smaller, but with no side below these.

    Raises:
        Exception: whatever Pillow's readers raise; `explain` says it in words.
    """
    with _opened(data) as image:
        large = image.width * image.height > _LARGE
        with _ONE_AT_A_TIME if large else nullcontext():
            if least is not None:
                image.draft("RGB", least)
            image.load()
            return upright_rgb(image)


def size_in(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture, upright, from its header alone.

    Raises:
        Exception: as `decode`.
    """
    with _opened(data) as image:
        return image.size if _orientation(image) < 5 else (image.height, image.width)


def _opened(data: bytes) -> Image.Image:
    """Open a picture without decoding it.

    Raises:
        Refused: for one too large, too narrow, or a camera's raw file with a small picture in it.
    """
    _check_size(*(_webp_size(data) or (1, 1)))
    image = Image.open(BytesIO(_without_notes(data)), formats=_readable())
    _check_size(*image.size)
    if image.format == "TIFF" and _is_raw(image, data):
        raise Refused("not a picture but a camera's raw file: develop it to JPEG")
    return image


@cache
def _readable() -> tuple[str, ...]:
    """Return the formats that this Pillow reads: one that was built by hand may lack some."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise Refused(f"the image is too large: {width} x {height} pixels")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise Refused(f"the image is too narrow: {width} x {height} pixels")


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Return the size in a WebP's header: its decoder takes memory for it when it is opened."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", data[26:30])
    return max(1, width & 0x3FFF), max(1, height & 0x3FFF)


def _without_notes(data: bytes) -> bytes:
    """Return a PNG without the chunks that say nothing of its pixels; other files as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, end = data[at + 4 : at + 8], at + 12 + length
        # Orientation may stand in the XMP of an iTXt.
        note = kind == b"iTXt" and length < _LONGEST_XMP and data.startswith(_XMP, at + 8)
        if kind in _KEPT_CHUNKS or note or end > len(data):
            kept.append(data[at:end])
        at = end
    kept.append(data[at:])
    return b"".join(kept)


def _is_raw(image: Any, data: bytes) -> bool:
    """Tell whether a TIFF is a raw file, whose first picture is a preview."""
    tags = image.tag_v2
    reduced = tags.get(_REDUCED) == 1 and _MORE_IMAGES in tags
    return _RAW_TAG in tags or reduced or data[8:10] == b"CR"


def upright_rgb(image: Image.Image) -> Image.Image:
    """Return an image upright and in RGB: transparency over white, 16 bits scaled to 8."""
    turn = _TURNS.get(_orientation(image))
    rgb = _rgb(image)
    return rgb if turn is None else rgb.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, 1 where it is not known; a broken note loses no image."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
        return value if isinstance(value, int) else 1
    except Exception:  # the note is parsed by the same readers as the picture
        return 1


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: convert() alone would clip 16 bits and show hidden colours."""
    mode = image.mode
    if mode.startswith("I;16"):
        clear = image.info.get("transparency")
        clear = clear if isinstance(clear, int) else None
        return _in_strips(image, lambda strip: _from_sixteen(np.asarray(strip), clear))
    if mode in ("I", "F"):
        return _stretched(image)
    if mode == "CMYK" and image.info.get("icc_profile"):
        return _by_profile(image)
    if mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data:
        return _in_strips(image, _over_white)
    return image if mode == "RGB" else image.convert("RGB")


def _in_strips(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Convert an image to RGB by strips of rows."""
    if image.width * image.height <= _STRIP:
        return convert(image)
    result = Image.new("RGB", image.size)
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        strip = image.crop((0, top, image.width, bottom))
        strip.info = image.info  # a palette's or a colour's transparency
        result.paste(convert(strip), (0, top))
    return result


def _over_white(image: Image.Image) -> Image.Image:
    over = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")


def _from_sixteen(values: NDArray[Any], clear: int | None) -> Image.Image:
    """Return 16-bit grey as RGB; `clear` is the value that stands for transparent."""
    grey = _grey(values / np.float32(257))
    if clear is None:
        return grey
    hidden = Image.fromarray((values == clear).astype(np.uint8) * 255)
    grey.paste((255, 255, 255), (0, 0), hidden)
    return grey


def _stretched(image: Image.Image) -> Image.Image:
    """Return whole numbers up to 65535 scaled as 16 bits, others from lowest to highest."""
    low, high = np.inf, -np.inf
    rows = max(1, _STRIP // image.width)

    def values_of(strip: Image.Image) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):  # of NaN there are kinds that warn
            return np.nan_to_num(np.asarray(strip, np.float64), posinf=0.0, neginf=0.0)

    for top in range(0, image.height, rows):
        values = values_of(image.crop((0, top, image.width, min(top + rows, image.height))))
        low, high = min(low, values.min()), max(high, values.max())
    if image.mode == "I" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    factor = 255.0 / (high - low) if high > low else 0.0
    return _in_strips(image, lambda strip: _grey((values_of(strip) - low) * factor))


def _grey(values: NDArray[Any]) -> Image.Image:
    """Return grey values in [0, 255], (H, W), as an RGB image."""
    return Image.fromarray(values.round().astype(np.uint8)).convert("RGB")


def _by_profile(image: Image.Image) -> Image.Image:
    """Return CMYK as the inks of its profile; as Pillow guesses where that is broken."""
    from PIL import ImageCms

    profile = image.info["icc_profile"]
    try:
        if len(profile) > _LARGEST_PROFILE:
            raise ValueError("too large to be a profile")
        change = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            "CMYK",
            "RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image.convert("RGB")
    return _in_strips(image, lambda strip: _transformed(strip, change))


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    change = ImageCms.buildTransform(lab, rgb, "LAB", "RGB")
    return _in_strips(image, lambda strip: _transformed(strip, change))


def _transformed(image: Image.Image, change: Any) -> Image.Image:
    from PIL import ImageCms

    result = ImageCms.applyTransform(image, change)
    if result is None:  # only where it changes the image in place, which was not asked for
        raise ValueError("the colours could not be converted")
    return result


def explain(error: Exception, data: bytes) -> str:
    """Say in one line why a picture could not be decoded."""
    if not data:
        return "the file is empty"
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        what = describe_content(data[:HEAD])
        if what is not None and what.endswith(" picture"):
            return f"cannot be decoded: {what}, damaged"
        return "not an image of a known format" if what is None else f"not a picture but {what}"
    if isinstance(error, Image.DecompressionBombError):
        return f"the image is too large: {clean(str(error))[:100]}"
    if isinstance(error, MemoryError):
        return "cannot be decoded: the memory does not suffice"
    return f"cannot be decoded: {clean(str(error))[:200] or type(error).__name__}"
