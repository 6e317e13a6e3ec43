from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scripts.build_mini import cache
from scripts.build_mini.assemble import PATCH, SIZE
from scripts.build_mini.cache import Order, fill_album, open_album
from scripts.build_mini.stamps import RENDERS, render, training_stamps
from scripts.build_mini.views import View
from scripts.build_sample.cutouts import STAMPS as PLANTED
from scripts.build_sample.render import read_stamps

WHOLE = (SIZE // PATCH) ** 2


class Blocks:
    """Stands for the network: what it makes of a picture is the mean of its red."""

    def __call__(self, network: Any, images: Any, patches: Any) -> Any:
        count = 1 + (WHOLE if patches is None else len(patches))
        self.patches = patches
        return images[:, :1].mean((2, 3))[:, :, None].expand(-1, count, 384)


def view(i: int) -> View:
    return View(Image.new("RGB", (SIZE, SIZE), (i, 0, 0)), (0, 0, 1, i / 200))


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    found = Blocks()
    monkeypatch.setattr(cache, "tokens_before_end", found)
    return found


def test_an_album_holds_every_view_in_order(tmp_path: Path, blocks: Blocks) -> None:
    fill_album(tmp_path, None, Order("x", [7] * 150, view))
    album = open_album(tmp_path / "x")
    assert album.tokens.shape == (150, 1 + WHOLE, 384)
    assert album.pixels[149, 0, 0].tolist() == [149, 0, 0]
    assert (np.diff(album.tokens[:, 0, 0]) >= 0).all() and album.tokens[0, 0, 0] < 0
    assert np.allclose(album.boxes[:, 3], np.arange(150) / 200)
    assert set(album.labels) == {7} and blocks.patches is None
    assert album.patches.tolist() == [[*range(WHOLE)]] * 150


def test_a_varied_album_keeps_some_patches(tmp_path: Path, blocks: Blocks) -> None:
    fill_album(tmp_path, None, Order("x", [0] * 3, view, patches=20))
    album = open_album(tmp_path / "x")
    assert album.tokens.shape == (3, 21, 384)
    assert len(set(blocks.patches)) == 20 and sorted(blocks.patches) == blocks.patches
    assert album.patches.tolist() == [blocks.patches] * 3


def test_a_finished_album_stays_and_a_broken_one_is_made_again(
    tmp_path: Path, blocks: Blocks
) -> None:
    def fails(i: int) -> View:
        if i == 100:
            raise OSError("the disk went away")
        return view(i)

    with pytest.raises(OSError):
        fill_album(tmp_path, None, Order("x", [0] * 150, fails))
    assert not (tmp_path / "x").exists()
    fill_album(tmp_path, None, Order("x", [0] * 150, view))
    fill_album(tmp_path, None, Order("x", [0] * 150, fails))  # not even opened
    assert len(open_album(tmp_path / "x").labels) == 150
    fill_album(tmp_path, None, Order("x", [0] * 20 + [1] * 20, view))
    assert open_album(tmp_path / "x").labels.sum() == 20, "of other subjects: made again"


def write_stamp(folder: Path, name: str, sentence: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGBA", (60, 40))
    picture.paste((250, 20, 20, 255), (10, 10, 50, 30))
    picture.save(path)
    path.with_suffix(".txt").write_text(f"{sentence}\nde.utf8=x\n", encoding="utf-8")


def test_stamps_of_the_sample_and_of_the_test_bed_are_left_out(tmp_path: Path) -> None:
    (used, *_) = read_stamps()["bird"]
    for name in (used, *list(PLANTED.values())[:2], "animals/birds/red_bird.png",
                 "symbols/a.png", "food/cartoon/apple.png", "medical/3_mask.png"):  # fmt: skip
        write_stamp(tmp_path, name, "A red bird sits here today." if "bird" in name else "A mask.")
    found = training_stamps(tmp_path, tmp_path / "none")
    assert [stamp.path.name for stamp in found] == ["red_bird.png", "3_mask.png"]
    bird, mask = found
    assert bird.texts == ("a red bird sits here today.", "a photo of a bird", "bird")
    assert (bird.nouns.name, bird.nouns.coarse) == ("red bird", ("bird",))
    assert mask.texts == ("a mask.",) and (mask.nouns.name, mask.nouns.coarse) == ("mask", ())


def test_renders_differ_and_are_the_same_every_time(tmp_path: Path) -> None:
    write_stamp(tmp_path, "animals/birds/red_bird.png", "A bird.")
    (stamp,) = training_stamps(tmp_path, tmp_path / "none")
    pictures = [render(stamp, turn)[0] for turn in range(RENDERS)]
    again = [render(stamp, turn)[0] for turn in range(RENDERS)]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(pictures, again, strict=True))
    assert len({view.box for view in pictures}) == RENDERS
    for turn, view_ in enumerate(pictures):
        mask = render(stamp, turn)[1]
        rows, columns = mask.nonzero()
        x0, y0, x1, y1 = (round(edge * SIZE) for edge in view_.box)
        assert x0 <= columns.min() and columns.max() < x1 and y0 <= rows.min() and rows.max() < y1
