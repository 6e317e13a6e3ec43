"""Reading image files, good and bad ones."""

import hashlib
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapcap.datasets import read_image
from mapcap.datasets.images import LoadedImage

WHITE, RED = (255, 255, 255), (200, 10, 10)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def pixels(loaded: LoadedImage) -> np.ndarray:
    assert loaded.error is None
    assert loaded.image is not None
    assert loaded.image.mode == "RGB"
    return np.asarray(loaded.image)


def test_a_plain_photo(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (300, 120), RED))
    loaded = read_image(path)
    assert (pixels(loaded) == RED).all()
    assert (loaded.width, loaded.height) == (300, 120)
    assert loaded.content_hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.file_size == path.stat().st_size
    assert loaded.thumbnail is not None
    with Image.open(BytesIO(loaded.thumbnail)) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (128, 51))


def test_a_small_or_narrow_image_keeps_its_shape(tmp_path: Path) -> None:
    for size, expected in (((20, 10), (20, 10)), ((4000, 40), (128, 1))):
        loaded = read_image(saved(tmp_path / "a.png", Image.new("RGB", size)))
        assert loaded.thumbnail is not None
        with Image.open(BytesIO(loaded.thumbnail)) as thumbnail:
            assert thumbnail.size == expected


def test_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "white")
    image.paste(RED, (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to the right
    loaded = read_image(saved(tmp_path / "a.png", image, exif=exif))
    assert (loaded.width, loaded.height) == (20, 40)
    assert (pixels(loaded)[:20] == RED).all()
    assert (pixels(loaded)[20:] == WHITE).all()


def test_hidden_colours_stay_hidden(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (8, 8), (*RED, 0))
    clear.paste((*RED, 255), (0, 0, 4, 8))
    grey = Image.merge("LA", [Image.new("L", (8, 8), 9), clear.getchannel("A")])
    for name, image in (("a.png", clear), ("b.webp", clear), ("c.png", grey)):
        loaded = read_image(saved(tmp_path / name, image, lossless=True))
        assert (pixels(loaded)[:, 4:] == WHITE).all()
        assert (pixels(loaded)[:, :4] != WHITE).all()


def test_half_transparent_is_mixed_with_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert abs(int(pixels(read_image(saved(tmp_path / "a.png", image)))[0, 0, 0]) - 127) <= 1


def test_palettes(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, *RED])
    assert (pixels(read_image(saved(tmp_path / "a.png", image))) == RED).all()
    image.info["transparency"] = 1
    path = saved(tmp_path / "b.png", image, transparency=1)
    assert (pixels(read_image(path)) == WHITE).all()


def test_other_modes(tmp_path: Path) -> None:
    for mode, name in (("L", "a.png"), ("1", "b.png"), ("CMYK", "c.jpg"), ("CMYK", "d.tif")):
        image = Image.new("RGB", (16, 16), "white").convert(mode)
        assert pixels(read_image(saved(tmp_path / name, image))).min() > 250


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    for path in (
        saved(tmp_path / "a.png", Image.fromarray(ramp)),
        saved(tmp_path / "b.tif", Image.fromarray(ramp)),
        saved(tmp_path / "c.tif", Image.fromarray(ramp.astype(np.int32))),
    ):
        assert pixels(read_image(path))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floating_point_is_stretched(tmp_path: Path) -> None:
    values = np.array([[0.25, 0.5, 0.75, np.nan]], dtype=np.float32)
    loaded = read_image(saved(tmp_path / "a.tif", Image.fromarray(values)))
    assert pixels(loaded)[0, :3, 0].tolist() == [85, 170, 255]  # not-a-number counts as 0
    flat = Image.fromarray(np.full((2, 2), 7.0, dtype=np.float32))
    assert pixels(read_image(saved(tmp_path / "b.tif", flat))).max() == 0


def test_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, "blue")]
    for name in ("a.gif", "b.webp", "c.tif", "d.jpg"):
        special: dict[str, dict[str, Any]] = {
            "b.webp": {"lossless": True}, "d.jpg": {"format": "MPO"},
        }  # fmt: skip
        options = special.get(name, {})
        path = saved(tmp_path / name, frames[0], save_all=True, append_images=frames[1:], **options)
        assert np.abs(pixels(read_image(path)).astype(int) - RED).max() <= 2


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    )


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "the file is empty"),
        (b"hello", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture but PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture but an SVG"),
        (png(100_000, 100_000), "too large"),
        (png(10_000, 9_000), "too large"),
        (png(64, 64), "cannot be decoded"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, content: bytes, error: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    loaded = read_image(path)
    assert loaded.error is not None
    assert error in loaded.error
    assert (loaded.image, loaded.thumbnail, loaded.width) == (None, None, None)
    assert loaded.content_hash == hashlib.sha256(content).hexdigest()


def test_a_cut_jpeg_is_told(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = saved(tmp_path / "a.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:1500])
    error = read_image(path).error
    assert error is not None
    assert "truncated" in error


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for name in ("gone.jpg", ".", "pipe.jpg", "null\0byte.jpg"):
        loaded = read_image(tmp_path / name)
        assert loaded.error is not None
        assert loaded.content_hash is None


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(300 * 2**20)  # a hole: takes no space
    assert "too large" in str(read_image(tmp_path / "a.jpg").error)


def good(format: str) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(noise).save(file, format, exif=exif)
    return file.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    format=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]),
    edits=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8),
    cut=st.integers(20, 4000),
)
def test_damaged_files_never_raise(
    format: str, edits: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(good(format)[:cut])
    for place, value in edits:
        content[place % len(content)] = value
    path = tmp_path_factory.mktemp("damaged") / "a"
    path.write_bytes(content)
    loaded = read_image(path)
    assert (loaded.error is None) == (loaded.image is not None)
    assert loaded.error is None or loaded.error.isprintable()
