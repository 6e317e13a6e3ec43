"""Hostile and odd pictures by kind, each with what must come of it."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import PIL
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

RED: Final = (200, 20, 20)
WHITE: Final = (255, 255, 255)
WIDE, HIGH = 48, 32
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Case:
    """A file, and what must come of it: a picture of this size and colour, a reason, or either."""

    data: bytes
    size: tuple[int, int] | None = (WIDE, HIGH)
    colour: tuple[int, int, int] | None = None
    """Of the pixel at a quarter of width and height, upright."""
    refused: str | None = None
    """What the reason begins with or holds."""
    either: bool = False
    ending: str = ".jpg"


def cases() -> dict[str, Case]:
    """Return all kinds."""
    made: dict[str, Case] = {}
    for part in (_modes, _turned, _clear, _frames, _notes, _foreign, _bombs, _cut, _endings):
        made |= dict(part())
    return made


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return an image as a file of a format."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def plain(colour: Any = RED, mode: str = "RGB") -> Image.Image:
    """Return an image of one colour."""
    return Image.new(mode, (WIDE, HIGH), colour)


def lossless(form: str) -> dict[str, Any]:
    """Return the options by which a format keeps colours nearly as they are."""
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 95},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 95},
    }
    return options.get(form, {})


def chunk(kind: bytes, data: bytes, *, crc: int | None = None) -> bytes:
    """Return a chunk of a PNG."""
    summed = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", summed)


def png(width: int, height: int, kind: int = 2, rows: bytes = b"\0" * 1000) -> bytes:
    """Return a PNG that claims a size and holds what is given."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return _PNG + chunk(b"IHDR", header) + body


Kinds = Iterator[tuple[str, Case]]


def _modes() -> Kinds:
    for form in FORMATS:
        yield f"{form} RGB", Case(saved(plain(), form, **lossless(form)), colour=RED)
    grey = (120, 120, 120)
    for form in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"):
        yield f"{form} grey", Case(saved(plain(120, "L"), form, **lossless(form)), colour=grey)
    for form in ("PNG", "GIF", "BMP", "TIFF", "PPM"):
        yield f"{form} one bit", Case(saved(plain(255, "1"), form), colour=WHITE)
    for form in ("PNG", "GIF", "BMP", "TIFF"):
        palette = plain(1, "P")
        palette.putpalette([0, 0, 0, *RED])
        yield f"{form} palette", Case(saved(palette, form), colour=RED)
    inks = plain().convert("CMYK")
    for form in ("JPEG", "TIFF"):
        yield f"{form} CMYK", Case(saved(inks, form, **lossless(form)), colour=RED)
        for name, profile in (("broken", b"no profile"), ("endless", b"\0" * 5_000_000)):
            data = saved(inks, form, icc_profile=profile, **lossless(form))
            yield f"{form} CMYK, {name} profile", Case(data, colour=RED)
    deep = np.full((HIGH, WIDE), 120 * 257)
    for form, kind in (("PNG", "u2"), ("TIFF", "u2"), ("TIFF", "i4"), ("PPM", "i4")):
        image = Image.fromarray(deep.astype(kind))
        yield f"{form} 16 bits {kind}", Case(saved(image, form), colour=grey)
    wide = np.tile(np.linspace(0, 1, WIDE, dtype=np.float32), (HIGH, 1))
    at = round(255 * wide[0, WIDE // 4])
    yield "TIFF float", Case(saved(Image.fromarray(wide), "TIFF"), colour=(at, at, at))
    beyond = Image.fromarray((wide * 2**30).astype(np.int32))
    yield "TIFF 32 bits", Case(saved(beyond, "TIFF"), colour=(at, at, at))
    for name, value in (("NaN", np.nan), ("infinite", np.inf)):
        image = Image.fromarray(np.full((HIGH, WIDE), value, np.float32))
        yield f"TIFF float, all {name}", Case(saved(image, "TIFF"), colour=(0, 0, 0))
    # Before Pillow 13 its own files of this kind end too early for it.
    refused = None if int(PIL.__version__.split(".")[0]) >= 13 else "image file is truncated"
    yield (
        "TIFF YCbCr",
        Case(saved(plain().convert("YCbCr"), "TIFF"), colour=RED, refused=refused),
    )
    yield (
        "TIFF LAB",
        Case(saved(Image.new("LAB", (WIDE, HIGH), (255, 128, 128)), "TIFF"), colour=WHITE),
    )
    yield "JPEG progressive", Case(saved(plain(), "JPEG", progressive=True, quality=95), colour=RED)
    yield "PNG of one pixel", Case(saved(Image.new("RGB", (1, 1), RED), "PNG"), (1, 1), RED)
    yield "PNG 100 to 1", Case(saved(Image.new("RGB", (200, 2), RED), "PNG"), (200, 2), RED)


def _turned() -> Kinds:
    image = plain(WHITE)
    image.paste(RED, (0, 0, WIDE // 2, HIGH // 2))
    # Where the red quarter is after the picture is upright: at a quarter, or elsewhere.
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            size = (WIDE, HIGH) if orientation < 5 else (HIGH, WIDE)
            colour = RED if orientation in (1, 5) else WHITE
            data = saved(image, form, exif=exif, **lossless(form))
            yield f"{form} orientation {orientation}", Case(data, size, colour)
    broken = saved(plain(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", quality=95)
    yield "JPEG broken EXIF", Case(broken, colour=RED)
    for value in (0, 9, 60000):
        exif = Image.Exif()
        exif[0x0112] = value
        yield f"JPEG orientation {value}", Case(saved(plain(), "JPEG", exif=exif, quality=95))


def _clear() -> Kinds:
    clear = plain((*RED, 0), "RGBA")
    for form in ("PNG", "WEBP", "TIFF", "AVIF"):
        yield f"{form} alpha", Case(saved(clear, form, **lossless(form)), colour=WHITE)
    grey = Image.merge("LA", [plain(9, "L"), plain(0, "L")])
    for form in ("PNG", "TIFF"):
        yield f"{form} grey alpha", Case(saved(grey, form), colour=WHITE)
    palette = plain(1, "P")
    palette.putpalette([0, 0, 0, *RED])
    for form in ("PNG", "GIF"):
        yield f"{form} clear palette", Case(saved(palette, form, transparency=1), colour=WHITE)
    yield "PNG clear colour", Case(saved(plain(), "PNG", transparency=RED), colour=WHITE)
    deep = Image.fromarray(np.full((HIGH, WIDE), 300, np.uint16))
    data = saved(deep, "PNG")
    data = data[:33] + chunk(b"tRNS", struct.pack(">H", 300)) + data[33:]
    yield "PNG 16 bits clear", Case(data, colour=WHITE)


def _frames() -> Kinds:
    others = [plain((0, 0, 250)), plain((0, 250, 0))]
    for name, form in (
        ("GIF", "GIF"),
        ("WEBP", "WEBP"),
        ("PNG", "PNG"),
        ("TIFF", "TIFF"),
        ("MPO", "MPO"),
    ):
        options = lossless(form) | ({"quality": 95} if form == "MPO" else {})
        data = saved(plain(), form, save_all=True, append_images=others, **options)
        yield f"{name} frames", Case(data, colour=RED)
    raw: dict[str, dict[int, Any]] = {"DNG": {50706: b"\1\4\0\0"}, "NEF": {254: 1, 330: 8}}
    for name, tags in raw.items():
        directory: Any = ImageFileDirectory_v2()
        for tag, value in tags.items():
            directory[tag] = value
        data = saved(plain(), "TIFF", tiffinfo=directory)
        yield f"{name} with a preview", Case(data, refused="a camera's raw file")


def _notes() -> Kinds:
    whole = saved(plain(), "PNG")
    packed = zlib.compress(b"x" * 30_000_000)
    notes = {
        "zTXt": b"k\0\0" + packed, "iTXt": b"k\0\1\0\0\0" + packed, "iCCP": b"p\0\0" + packed,
        "tEXt": b"k\0" + b"x" * 3_000_000, "prVt": b"x" * 3_000_000, "tIME": b"x",
        "gAMA": b"", "pHYs": b"x" * 3, "cHRM": b"", "sRGB": b"", "acTL": b"\xff" * 8,
    }  # fmt: skip
    for kind, data in notes.items():
        made = whole[:33] + chunk(kind.encode(), data) + whole[33:]
        yield f"PNG odd {kind}", Case(made, either=kind == "acTL", colour=RED)
    wrong = whole[:33] + chunk(b"tEXt", b"k\0x", crc=7) + whole[33:]
    yield "PNG wrong sum of a note", Case(wrong, colour=RED)
    many = whole[:33] + chunk(b"tEXt", b"k\0x") * 50_000 + whole[33:]
    yield "PNG 50,000 notes", Case(many, colour=RED)
    yield "PNG more behind", Case(whole + b"<script>" * 100, colour=RED)
    photo = saved(plain(), "JPEG", quality=95)
    for marker in (0xE1, 0xE2, 0xED, 0xEE, 0xFE):
        note = b"\xff" + bytes([marker]) + struct.pack(">H", 65_000) + b"x" * 64_998
        yield (
            f"JPEG note {marker:X}",
            Case(photo[:2] + note * 40 + photo[2:], either=marker == 0xEE),
        )
    yield "JPEG more behind", Case(photo + b"\0" * 1000, colour=RED)


def _foreign() -> Kinds:
    for name, data, reason in (
        ("nothing", b"", "the file is empty"),
        ("text", b"hello", "not an image"),
        ("zeros", b"\0" * 1000, "not an image"),
        ("web page", b"\n<!DOCTYPE html><html>", "a web page"),
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG"),
        ("XML SVG", b"<?xml version='1.0'?><svg/>", "an SVG"),
        ("server's error", b"<?xml version='1.0'?><Error><Code>AccessDenied", "an error message"),
        ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        ("PDF", b"%PDF-1.7\n", "a PDF"),
        ("git-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git-lfs"),
        ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("film", b"\0\0\0\x18ftypmp42\0\0\0\0", "a film"),
        ("JPEG XL", b"\xff\x0a\xff", "JPEG XL"),
        ("JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        ("Photoshop", b"8BPS\0\1", "Photoshop"),
        ("icon", b"\0\0\1\0\1\0", "an icon"),
        ("raw of Fuji", b"FUJIFILMCCD-RAW 0201", "raw"),
        ("zip", b"PK\3\4" + b"\0" * 30, "zip"),
        ("gzip", b"\x1f\x8b\x08\0", "gzip"),
        ("SQLite", b"SQLite format 3\0", "SQLite"),
        ("numpy", b"\x93NUMPY\1\0", "numpy"),
        ("Parquet", b"PAR1", "Parquet"),
    ):
        yield f"not a picture: {name}", Case(data, refused=reason)


def _bombs() -> Kinds:
    large, narrow = "too large", "too narrow"
    yield "bomb: PNG", Case(png(100_000, 100_000), refused=large)
    yield "bomb: PNG just too large", Case(png(10_000, 8_001), refused=large)
    yield "bomb: PNG wide", Case(png(60_000, 1), refused=narrow)
    yield "bomb: PNG high", Case(png(1, 60_000), refused=narrow)
    yield "bomb: PNG chunk", Case(_PNG + b"\x7f\xff\xff\xffIDATx", refused="")
    yield "bomb: PNG IDAT", Case(png(64, 64, rows=b"\0" * 50_000_000), size=(64, 64), either=True)
    for name, canvas in (("16383", 16383), ("2^24", 2**24)):
        size = (canvas - 1).to_bytes(3, "little") * 2
        body = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
        data = b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body + b"ANIM" + b"\0" * 20
        yield f"bomb: WebP {name}", Case(data, refused=large)
    bits = (16382 | 16382 << 14).to_bytes(4, "little")
    body = b"VP8L" + struct.pack("<I", 5) + b"\x2f" + bits + b"\0" * 20
    yield "bomb: WebP lossless", Case(b"RIFF\x30\0\0\0WEBP" + body, refused=large)
    yield (
        "bomb: GIF",
        Case(
            b"GIF89a\xff\xff\xff\xff\x80\0\0" + b"\0" * 6 + b"\x2c\0\0\0\0\xff\xff\xff\xff\0\2\0",
            refused=large,
        ),
    )
    header = struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "bomb: BMP", Case(b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header, refused=large)
    yield "bomb: PPM", Case(b"P6 90000 90000 255\n", refused=large)
    yield "bomb: PPM digits", Case(b"P6 " + b"9" * 5000 + b" 9 255\n", refused="")
    photo = bytearray(saved(plain(), "JPEG"))
    at = photo.index(b"\xff\xc0")
    photo[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    yield "bomb: JPEG", Case(bytes(photo), refused=large)
    film = saved(plain(), "AVIF")
    at = film.index(b"ispe") + 8
    yield (
        "bomb: AVIF",
        Case(film[:at] + struct.pack(">II", 60_000, 60_000) + film[at + 8 :], refused=""),
    )
    stack = saved(plain(), "TIFF")
    at = (
        stack.index(struct.pack("<HHI", 256, 4, 1))
        if struct.pack("<HHI", 256, 4, 1) in stack
        else 0
    )
    if at:
        stack = stack[: at + 8] + struct.pack("<I", 2**31 - 1) + stack[at + 12 :]
        yield "bomb: TIFF", Case(stack, refused="")


def _cut() -> Kinds:
    noise = np.random.default_rng(0).integers(0, 256, (HIGH, WIDE, 3), dtype=np.uint8)
    for form in FORMATS:
        whole = saved(Image.fromarray(noise), form)
        yield f"{form} cut in half", Case(whole[: len(whole) // 2], refused="")
        yield f"{form} but 10 bytes", Case(whole[:10], refused="")
        yield f"{form} twice", Case(whole * 2)


def _endings() -> Kinds:
    for form, ending in zip(
        FORMATS, (".png", ".txt", "", ".heic", ".bin", ".jpg", ".gif", ".x y"), strict=True
    ):
        yield (
            f"{form} called {ending or 'nothing'}",
            Case(saved(plain(), form, **lossless(form)), colour=RED, ending=ending),
        )
