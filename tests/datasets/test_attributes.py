"""Figures of photos, on pictures whose figures are known."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from mapcap.datasets.attributes import attributes_of
from mapcap.datasets.sample import sample_path


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    with Image.open(next(sample_path().glob("bird/*"))) as opened:
        return opened.convert("RGB")


def jpeg(image: Image.Image) -> Image.Image:
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    return Image.open(file).convert("RGB")


def test_one_color_by_hand() -> None:
    """Luma and colour differences of pure red after ITU-R BT.601; nothing sharp, no border."""
    found = attributes_of(Image.new("RGB", (50, 40), (255, 0, 0)))
    assert found["brightness"] == pytest.approx(76 / 2.55, abs=0.2) and found["contrast"] == 0
    assert found["red"] == pytest.approx(127 / 1.28, abs=0.5) and found["blue"] < 0
    assert found["chroma"] > found["red"]
    assert found["sharpness"] == found["noise"] == found["border"] == 0 and found["detail"] == 1


def test_blur_lowers_sharpness_and_contrast_does_not(photo: Image.Image) -> None:
    plain = attributes_of(photo)["sharpness"]
    blurred = attributes_of(photo.filter(ImageFilter.GaussianBlur(3)))["sharpness"]
    faded = attributes_of(Image.blend(photo, Image.new("RGB", photo.size, "gray"), 0.5))
    assert blurred < 0.75 * plain
    assert faded["sharpness"] == pytest.approx(plain, abs=0.05)
    assert faded["contrast"] == pytest.approx(attributes_of(photo)["contrast"] / 2, rel=0.05)


def test_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    levels = 128 + rng.normal(0, 10, (100, 100, 1)).repeat(3, 2)
    found = attributes_of(Image.fromarray(levels.round().astype(np.uint8)))
    assert found["noise"] == pytest.approx(10 / 2.55, rel=0.05)


def test_a_gray_photo_has_no_chroma(photo: Image.Image) -> None:
    assert attributes_of(photo)["chroma"] > 1
    assert attributes_of(photo.convert("L").convert("RGB"))["chroma"] == 0


@pytest.mark.parametrize("colour", [(30, 60, 200), (255, 255, 255)])
def test_a_frame_is_measured_after_jpeg_too(colour: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    inner = Image.fromarray(rng.integers(0, 200, (80, 80, 3)).astype(np.uint8))
    framed = ImageOps.expand(inner, 8, colour)
    assert attributes_of(framed)["border"] == pytest.approx(1 - (80 / 96) ** 2, abs=0.001)
    assert attributes_of(jpeg(framed))["border"] > 0.2
    bands = ImageOps.expand(inner, (0, 8), colour)
    assert attributes_of(bands)["border"] == pytest.approx(16 / 96, abs=0.001)
    one = ImageOps.expand(inner, (0, 8, 0, 0), colour)
    assert attributes_of(inner)["border"] == attributes_of(one)["border"] == 0


def test_an_object_on_a_plain_backdrop_has_no_frame() -> None:
    picture = Image.new("RGB", (90, 90), "white")
    picture.paste((40, 90, 20), (35, 20, 60, 70))
    assert attributes_of(picture)["border"] == 0


def test_the_detail_of_a_small_object_lies_in_a_small_part(photo: Image.Image) -> None:
    """A square of noise, 30 of 90 pixels either way: its box, nine tenths of it along each side."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 30, 3)).astype(np.uint8)
    picture = Image.new("RGB", (90, 90), "gray")
    picture.paste(Image.fromarray(noise), (10, 40))
    assert attributes_of(picture)["detail"] == pytest.approx((0.9 / 3) ** 2, abs=0.01)
    width, height = photo.size
    far = photo.filter(ImageFilter.GaussianBlur(min(photo.size) / 8))
    far.paste(photo.resize((width // 3, height // 3)), (width // 3, height // 3))
    assert attributes_of(far)["detail"] < 0.15 < 0.3 < attributes_of(photo)["detail"]
    blurred = photo.filter(ImageFilter.GaussianBlur(2))
    assert attributes_of(blurred)["detail"] == pytest.approx(
        attributes_of(photo)["detail"], abs=0.1
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2000, 3), (9, 9), (500, 375)])
def test_every_size_has_finite_figures(size: tuple[int, int]) -> None:
    found: Mapping[str, float] = attributes_of(Image.effect_noise(size, 50).convert("RGB"))
    assert np.isfinite(list(found.values())).all() and len(found) == 9
