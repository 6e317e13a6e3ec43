"""The renderer: compositing of synthetic cut-outs, backgrounds, the plan, and the real stamps."""

import csv
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mapcap.datasets.sample import sample_path
from scripts.build_sample import cutouts, render
from scripts.build_sample.scenes import SCENES
from scripts.planted.casts import cutouts_path
from scripts.rendering.backgrounds import KINDS, Shadow, background
from scripts.rendering.compose import SOLID, compose, load_cutout, mask_box

STAMPS = Path(os.environ.get("TUXPAINT_STAMPS", "/usr/share/tuxpaint/stamps"))
Pixels = npt.NDArray[np.uint8]


def rectangle(height: int, width: int, colour: tuple[int, int, int] = (255, 0, 255)) -> Pixels:
    return np.broadcast_to(np.asarray([*colour, 255], dtype=np.uint8), (height, width, 4)).copy()


def loops_box(alpha: Pixels) -> tuple[int, int, int, int]:
    """Find the box of the solid pixels pixel by pixel."""
    solid = [
        (x, y)
        for y in range(alpha.shape[0])
        for x in range(alpha.shape[1])
        if int(alpha[y, x]) >= SOLID
    ]
    xs, ys = zip(*solid, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(8, 90),
    width=st.integers(8, 90),
    scale=st.floats(0.2, 0.9),
    shadow=st.sampled_from(["contact", "drop", "none"]),
    seed=st.integers(0, 2**32),
)
def test_box_is_tight_inside_and_as_large_as_asked(
    height: int, width: int, scale: float, shadow: Shadow, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ground = np.full((64, 64, 3), 120, dtype=np.uint8)
    image, alpha, box = compose(rectangle(height, width), ground, rng, scale, shadow=shadow)
    assert image.shape == (64, 64, 3)
    assert alpha.shape == (64, 64)
    assert box == loops_box(alpha)
    x0, y0, x1, y1 = box
    assert abs(max(x1 - x0, y1 - y0) - scale * 64) <= 2
    # nothing of the object is cut off by the picture's edge
    assert not alpha[[0, -1]].any()
    assert not alpha[:, [0, -1]].any()


def test_object_shows_inside_the_mask_and_the_background_outside() -> None:
    ground = np.full((80, 80, 3), 120, dtype=np.uint8)
    image, alpha, _ = compose(rectangle(30, 40), ground, np.random.default_rng(1), 0.5)
    assert (image[alpha == 0] == 120).all()
    inside = image[alpha == 255]
    assert len(inside) > 600
    assert (inside[:, 0] > 200).all()
    assert (inside[:, 1] < 20).all()


def test_half_transparent_pixels_are_half_background() -> None:
    cutout = rectangle(40, 40, (200, 200, 200))
    cutout[..., 3] = 128
    ground = np.full((80, 80, 3), 120, dtype=np.uint8)
    image, alpha, box = compose(cutout, ground, np.random.default_rng(2), 0.5, rotation=0)
    x0, y0, x1, y1 = box
    middle = image[(y0 + y1) // 2, (x0 + x1) // 2].astype(float)
    assert int(alpha[(y0 + y1) // 2, (x0 + x1) // 2]) == 128
    assert middle == pytest.approx(np.full(3, (200 * 128 + 120 * 127) / 255), abs=1.5)


def test_aspect_is_kept() -> None:
    ground = np.full((160, 160, 3), 90, dtype=np.uint8)
    *_, box = compose(rectangle(50, 100), ground, np.random.default_rng(3), 0.5, rotation=0)
    x0, y0, x1, y1 = box
    assert x1 - x0 == 80
    assert y1 - y0 == 40


@pytest.mark.parametrize("shadow", ["contact", "drop"])
def test_shadow_darkens_beside_the_object_and_is_outside_the_box(shadow: Shadow) -> None:
    ground = np.full((120, 120, 3), 150, dtype=np.uint8)
    plain = compose(rectangle(40, 40), ground, np.random.default_rng(4), 0.4, rotation=0)
    image, alpha, _ = compose(
        rectangle(40, 40), ground, np.random.default_rng(4), 0.4, shadow=shadow, rotation=0
    )
    outside = image[alpha == 0]
    assert outside.max() == 150
    assert outside.min() < 110
    assert (plain.image[plain.alpha == 0] == 150).all()
    assert int((alpha >= SOLID).sum()) == int((plain.alpha >= SOLID).sum())


def test_standing_objects_have_their_feet_in_the_lower_part() -> None:
    ground = np.full((100, 100, 3), 150, dtype=np.uint8)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        *_, box = compose(rectangle(40, 40), ground, rng, 0.4, shadow="contact", rotation=0)
        assert 73 <= box[3] <= 97


def test_mirroring_happens_only_where_it_may() -> None:
    cutout = rectangle(40, 40, (250, 0, 0))
    cutout[:, 20:] = (0, 0, 250, 255)
    ground = np.full((80, 80, 3), 120, dtype=np.uint8)

    def red_on_the_left(seed: int, mirror: bool) -> bool:
        rng = np.random.default_rng(seed)
        image, _, (x0, y0, _, y1) = compose(cutout, ground, rng, 0.5, mirror=mirror, rotation=0)
        pixel = image[(y0 + y1) // 2, x0 + 4]
        return bool(pixel[0] > pixel[2])

    assert all(red_on_the_left(seed, mirror=False) for seed in range(12))
    assert {red_on_the_left(seed, mirror=True) for seed in range(12)} == {True, False}


def test_mask_box_of_an_empty_mask_is_an_error() -> None:
    with pytest.raises(ValueError, match="no solid pixel"):
        mask_box(np.full((5, 5), SOLID - 1, dtype=np.uint8))


def test_load_cutout_trims_and_limits_the_size(tmp_path: Path) -> None:
    pixels = np.zeros((1500, 700, 4), dtype=np.uint8)
    pixels[100:1300, 200:500] = (10, 20, 30, 255)
    pixels[0, 0] = (255, 255, 255, SOLID - 1)  # haze far from the object
    Image.fromarray(pixels).save(tmp_path / "stamp.png")
    cutout = load_cutout(tmp_path / "stamp.png")
    assert cutout.shape == (512, 128, 4)
    assert (cutout[5:-5, 5:-5] == (10, 20, 30, 255)).all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_backgrounds_are_varied_and_repeat_with_the_seed(kind: str) -> None:
    first, again, other = (background(kind, 64, np.random.default_rng(s)) for s in (7, 7, 8))
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()
    assert 25 < first.mean() < 235
    assert first.std() > 6


def test_plan_uses_every_listed_stamp_and_names_each_picture_once() -> None:
    stamps = render.read_stamps()
    pictures = render.plan(stamps)
    assert set(stamps) == set(SCENES)
    assert {p.stamp for p in pictures} == {stamp for paths in stamps.values() for stamp in paths}
    assert len({p.file for p in pictures}) == len(pictures)
    assert {p.kind for p in pictures} <= set(KINDS)


def test_the_shipped_sources_are_the_plan() -> None:
    with (sample_path() / "sources.tsv").open(encoding="utf-8", newline="") as file:
        shipped = [tuple(row.values()) for row in csv.DictReader(file, delimiter="\t")]
    plan = render.plan(render.read_stamps())
    assert shipped == [(p.file, p.stamp, p.kind) for p in plan]


@pytest.mark.parametrize(
    ("stamp", "turn", "name"),
    [
        ("space/planets/3_earth.png", 1, "earth.webp"),
        ("space/planets/3_earth.png", 2, "earth-2.webp"),
        ("animals/mammals/bovines/cow_white.png", 1, "cow-white.webp"),
        ("animals/mammals/cats/lion-2.png", 2, "lion-2.webp"),
    ],
)
def test_picture_names(stamp: str, turn: int, name: str) -> None:
    assert render.picture_name(render.stem_of(stamp), turn) == name


def test_two_stamps_of_one_stem_are_counted_together() -> None:
    names = [p.name for p in render.plan(render.read_stamps()) if "/lion" in p.stamp]
    assert names == ["lion.webp", *(f"lion-{turn}.webp" for turn in range(2, len(names) + 1))]


def test_stamps_that_say_so_are_not_mirrored(tmp_path: Path) -> None:
    for name in ("free", "marked", "tape", "tape_mirror"):
        (tmp_path / f"{name}.png").touch()
    (tmp_path / "free.dat").write_text("noflip\n", encoding="utf-8")
    (tmp_path / "marked.dat").write_text("noflip\nnomirror\n", encoding="utf-8")
    assert render.may_mirror(tmp_path / "free.png")
    assert not render.may_mirror(tmp_path / "marked.png")
    assert not render.may_mirror(tmp_path / "tape.png")


@pytest.fixture
def drawn_stamps(tmp_path: Path) -> Path:
    """Return a stamps folder with a drawn disc for every stamp of the table."""
    y, x = np.mgrid[:60, :60]
    disc = np.where((np.hypot(x - 30, y - 30) < 28)[..., None], (200, 60, 40, 255), (0, 0, 0, 0))
    for paths in render.read_stamps().values():
        for stamp in paths:
            target = tmp_path / "stamps" / stamp
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(disc.astype(np.uint8)).save(target)
    return tmp_path / "stamps"


def test_the_command_writes_the_sample_and_clears_an_earlier_one(
    tmp_path: Path, drawn_stamps: Path
) -> None:
    out = tmp_path / "out"
    (out / "bird").mkdir(parents=True)
    (out / "bird" / "dodo.webp").touch()
    (out / "NOTICE.md").write_text("kept", encoding="utf-8")
    render.main(["--stamps", str(drawn_stamps), "--out", str(out)])
    assert len(list(out.glob("*/*.webp"))) == 120
    assert not (out / "bird" / "dodo.webp").exists()
    assert (out / "NOTICE.md").read_text(encoding="utf-8") == "kept"
    lines = (out / "boxes.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file\tx0\ty0\tx1\ty1"
    assert len(lines) == 121


def test_a_missing_stamps_folder_is_an_error_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        render.main(["--stamps", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "README.md" in capsys.readouterr().err


def test_the_cutouts_of_the_test_bed_are_trimmed_and_keep_their_alpha(tmp_path: Path) -> None:
    y, x = np.mgrid[:300, :400]
    disc = np.where((np.hypot(x - 200, y - 150) < 140)[..., None], (200, 60, 40, 255), (0, 0, 0, 0))
    for stamp in cutouts.STAMPS.values():
        target = tmp_path / "stamps" / stamp
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(disc.astype(np.uint8)).save(target)
    cutouts.main(["--stamps", str(tmp_path / "stamps"), "--out", str(tmp_path / "out")])
    with (tmp_path / "out" / "sources.tsv").open(encoding="utf-8", newline="") as file:
        written = {row["file"]: row["stamp"] for row in csv.DictReader(file, delimiter="\t")}
    assert written == {f"{name}.webp": stamp for name, stamp in cutouts.STAMPS.items()}
    for name in written:
        with Image.open(tmp_path / "out" / name) as picture:
            pixels = np.asarray(picture.convert("RGBA"))
        assert pixels.shape == (224, 224, 4), name
        assert pixels[0, 0, 3] == 0
        assert pixels[112, 112].tolist() == pytest.approx([200, 60, 40, 255], abs=8)


def test_the_shipped_cutouts_say_their_stamps() -> None:
    with (cutouts_path() / "sources.tsv").open(encoding="utf-8", newline="") as file:
        shipped = {row["file"]: row["stamp"] for row in csv.DictReader(file, delimiter="\t")}
    assert shipped == {f"{name}.webp": stamp for name, stamp in cutouts.STAMPS.items()}


@pytest.mark.skipif(not STAMPS.is_dir(), reason="tuxpaint-stamps-default is not installed")
def test_the_shipped_boxes_are_those_of_the_stamps_masks() -> None:
    with (sample_path() / "boxes.tsv").open(encoding="utf-8", newline="") as file:
        shipped = {row.pop("file"): row for row in csv.DictReader(file, delimiter="\t")}
    for picture in render.plan(render.read_stamps())[::5]:
        box = render.render(picture, STAMPS, seed=0).box
        assert box == tuple(int(value) for value in shipped[picture.file].values()), picture.file
