from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mapcap.datasets.sample import sample_path
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.embedded import MINI
from mapcap.texts.humans import names_human
from mapcap.zero_shot import class_weights
from scripts.build_mini import shown
from scripts.build_mini.appearance import Nouns
from scripts.build_mini.judges import Judge
from scripts.build_mini.probe import Probe
from scripts.build_mini.shown import (
    DESCRIBED,
    Seen,
    Thing,
    Things,
    looks_of,
    pasted,
    photo_of,
    seen_grounds,
    seen_stamps,
)
from scripts.build_mini.stamps import Stamp
from scripts.planted.casts import cutouts_path

CLASSES = ["cow", "planet", "tool"]
ANYBODY = Probe(torch.zeros(384), 1.0, 0.5, -0.5)
"""Sees a human in anything."""


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip(MINI, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def things(clip: Clip) -> Things:
    nouns = [Nouns(name, (), ()) for name in CLASSES]
    return Things(clip, nouns, class_weights(clip.model, clip.tokenizer, CLASSES), ANYBODY)


def first_of(name: str) -> Path:
    return min((sample_path() / name).iterdir())


class Record:
    """A judge's maker that notes what it is told."""

    def __init__(self) -> None:
        self.judged: list[tuple[Any, float]] = []
        self.humans: list[bool | None] = []

    def __call__(self, of: Any, pixels: Any, mask: Any, human: bool | None = None) -> Judge:
        assert pixels.shape[:2] == mask.shape
        self.judged.append((of, mask.mean()))
        self.humans.append(human)
        return lambda text: 0.0


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    """Note who is judged by what, two pictures at a time."""
    found = Record()
    monkeypatch.setattr("scripts.build_mini.pictures.BATCH", 2)
    monkeypatch.setattr(shown, "thing_judge", found)
    monkeypatch.setattr(shown, "stamp_judge", found)
    return found


def whole(seen: Seen) -> bool:
    assert seen.features.dtype == torch.float32
    shape = (len(seen.judges), 384)
    return seen.features.shape == shape and len(seen.told) == len(seen.judges)


def test_regions_are_judged_by_their_own_pixels_and_told_by_their_classs_nouns(
    things: Things, record: Record
) -> None:
    given = [
        photo_of(first_of(name), label, False if name == "planet" else None)
        for label, name in enumerate(CLASSES)
    ]
    batches = list(things.seen(given))
    names = [nouns.name for nouns, _ in record.judged]
    assert set(names) == set(CLASSES)
    assert record.humans == [name != "planet" for name in names], "what somebody saw counts more"
    assert all(0 < share < 1 for _, share in record.judged)
    assert all(whole(seen) for seen in batches)
    told = [texts for seen in batches for texts in seen.told]
    for name, texts in zip(names, told, strict=True):
        assert len(texts) == DESCRIBED
        assert all(name in text for text in texts)
        assert all(names_human(text) == (name != "planet") for text in texts)


def test_a_thing_that_is_not_recognised_is_not_shown(
    things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = (Thing(photo_of(first_of("cow"), 0, None).picture, k, False) for k in (0, 2))
    monkeypatch.setattr(shown, "RECOGNISED", 1)
    assert things.recognised([right, wrong]) == [right]
    monkeypatch.setattr(shown, "RECOGNISED", len(CLASSES))
    assert things.recognised([right, wrong]) == [right, wrong]


def test_a_thing_is_cut_out_and_put_on_another_ground(tmp_path: Path) -> None:
    photo = np.full((64, 64, 3), (40, 160, 60), np.uint8)
    rng = np.random.default_rng(0)
    photo += rng.integers(0, 12, photo.shape, np.uint8)
    y, x = np.mgrid[:64, :64]
    disc = (x - 30) ** 2 + (y - 34) ** 2 <= 12**2
    photo[disc] = (200, 30, 30)
    path = tmp_path / "disc.png"
    Image.fromarray(photo).save(path)
    thing, again = (pasted(path, (16, 20, 45, 49), 7) for _ in range(2))
    assert thing is not None
    assert again is not None
    assert (thing.label, thing.human) == (7, False)
    picture = np.asarray(thing.picture()).astype(int)
    red = (picture[..., 0] > 120) & (picture[..., 1:].max(-1) < 90)
    across = np.flatnonzero(red.any(0))
    width = across[-1] - across[0] + 1
    assert 0.7 < red.sum() / (np.pi * width**2 / 4) < 1.2, "a disc"
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert not (abs(corners - (45, 165, 65)).max(-1) < 12).all(), "the old ground is gone"
    assert again.picture().tobytes() == thing.picture().tobytes()
    assert pasted(path, (0, 0, 64, 64), 7) is None, "there is no ground to tell it from"


def test_renders_are_judged_and_told_by_their_own_pixels(clip: Clip, record: Record) -> None:
    stamps = [Stamp(path, "a thing.", "") for path in sorted(cutouts_path().glob("*.webp"))[:3]]
    drawn = [(stamp, number) for number in (2, 3) for stamp in stamps]
    renders = list(seen_stamps(clip, drawn))
    assert [each for each, _ in record.judged] == 2 * stamps
    assert all(0 < share < 1 for _, share in record.judged)
    assert all("thing" in text for seen in renders for texts in seen.told for text in texts)
    beside = list(seen_grounds(clip, drawn))
    assert 1 <= sum(len(seen.judges) for seen in beside) <= len(drawn)
    for seen in beside:
        assert all(judge(told[0]) == 0 for judge, told in zip(seen.judges, seen.told, strict=True))
    assert all(whole(seen) for seen in [*renders, *beside])


def test_a_parts_look_is_of_its_own_pixels() -> None:
    picture = np.zeros((1, 140, 140, 3), np.uint8)
    picture[:, :70], picture[:, 70:] = (200, 30, 30), (30, 60, 200)
    upper = np.zeros((2, 10, 10), bool)
    upper[0, 1:4, 2:8] = upper[1, 6:9, 2:8] = True
    red, blue = looks_of(np.repeat(picture, 2, 0), upper)
    assert red.colours[0].family == "red"
    assert blue.colours[0].family == "blue"
