"""Faults planted in photos are those that the truth states, and the controls have none."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapcap.datasets.attributes import attributes_of
from scripts.plant_faults import CLASSES, PHOTO_FAULTS, TRUTH, main

PHOTOS = 6


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes more than have faults, of six colourful photos each."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for label in range(CLASSES + 2):
        (folder / f"thing {label}").mkdir()
        for number in range(PHOTOS):
            levels = rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)
            photo = Image.fromarray(levels).resize((64, 64), Image.Resampling.NEAREST)
            photo.save(folder / f"thing {label}" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def out(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "out"
    assert main([str(photos), "--out", str(folder), "--seed", "3"]) == 0
    return folder


def test_the_truth_says_what_was_done(out: Path) -> None:
    truth = json.loads((out / TRUTH).read_text())
    faults = [one["fault"] for one in truth["classes"].values()]
    assert set(PHOTO_FAULTS) <= set(faults) and faults.count(None) == 2
    assert {str(path.relative_to(out)) for path in out.glob("*/*")} == set(truth["images"])
    for path, image in truth["images"].items():
        fault = truth["classes"][path.split("/")[0]]["fault"]
        assert image["fault"] in (None, fault)
        with Image.open(out / path) as opened:
            found = attributes_of(opened.convert("RGB"))
        assert (found["chroma"] < 1) == (image["fault"] == "grey")
        assert (found["border"] > 0) == (image["fault"] == "border")
        assert (found["brightness"] < 25) == (image["fault"] == "dark")


def test_pairs_are_as_the_truth_says(out: Path) -> None:
    truth = json.loads((out / TRUTH).read_text())
    of_class: dict[str, list[dict[str, str]]] = {name: [] for name in truth["classes"]}
    for path, image in truth["images"].items():
        of_class[path.split("/")[0]].append(image)
    sizes = {name: len(images) for name, images in of_class.items()}
    for name, said in truth["classes"].items():
        foreign = [one for one in of_class[name] if one["true_class"] != name]
        match said["fault"]:
            case "exchanged names":
                assert {one["true_class"] for one in foreign} == {said["partner"]}
                assert len(foreign) == sizes[name] == PHOTOS
            case "swapped labels":
                assert 1 <= len(foreign) <= PHOTOS / 2 and sizes[name] == PHOTOS
            case "two names":
                assert sizes[name] == PHOTOS / 2
                assert len({one["true_class"] for one in of_class[name]}) == 1
            case "duplicates":
                sources = {one["source"] for one in of_class[name]}
                others = {one["source"] for one in of_class[said["partner"]]}
                assert len(sources & others) == 1
            case _:
                assert not foreign and sizes[name] == PHOTOS


def test_a_seed_is_the_same_bed_again(photos: Path, out: Path, tmp_path: Path) -> None:
    assert main([str(photos), "--out", str(tmp_path / "again"), "--seed", "3"]) == 0
    assert (tmp_path / "again" / TRUTH).read_text() == (out / TRUTH).read_text()


def test_the_same_photos_without_faults_are_written_in_the_same_way(
    photos: Path, out: Path, tmp_path: Path
) -> None:
    """So that a photo no fault falls on is the same file in both."""
    plain = tmp_path / "plain"
    assert main([str(photos), "--out", str(plain), "--without-faults"]) == 0
    assert not (plain / TRUTH).exists()
    images = json.loads((out / TRUTH).read_text())["images"]
    untouched = {path: image["source"] for path, image in images.items() if not image["fault"]}
    assert untouched
    for path, source in untouched.items():
        assert (out / path).read_bytes() == (plain / source).read_bytes()


def test_what_cannot_be_planted_says_what_to_do(
    photos: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photos), "--out", str(out)]) == 2
    for label in ("a", "b"):
        (tmp_path / "few" / label).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "few" / label / "0.png")
    assert main([str(tmp_path / "few"), "--out", str(tmp_path / "new")]) == 2
    assert f"2 classes; the faults need {CLASSES}" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
