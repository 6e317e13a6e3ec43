"""`mapcap index --dry-run`: what a run would take, and that nothing comes of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mapcap.config import IndexConfig
from mapcap.datasets.sample import sample_path
from mapcap.errors import UserError
from mapcap.indexing.planning import plan
from mapcap.presets import with_preset
from mapcap.printing.plan import duration
from tests.calling import Result, mapcap


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    db = tmp_path_factory.mktemp("dry") / "sample.db"
    return db, mapcap(
        "index", "sample", "--db", db, "--dry-run", "--json", "--batch-size", "4", "--device", "cpu"
    )


def test_two_batches_are_measured_where_the_networks_are_here(measured) -> None:
    db, result = measured
    assert result.code == 0, result.err
    told = result.json()
    assert (told["photos"], told["classes"], told["downloads"]) == (120, 10, [])
    trial = told["trial"]
    assert trial["photos"] == 8
    assert set(trial["seconds"]) == set(told["seconds"]) == {"images", "captions", "pmi"}
    assert told["seconds"]["images"] == pytest.approx(trial["seconds"]["images"] * 15)
    # PMI grows with the pairs of sentences of each class, and 4 photos of two were tried.
    assert told["seconds"]["pmi"] > trial["seconds"]["pmi"] * 15
    assert told["disk"] == pytest.approx(trial["bytes_per_photo"] * 120 / 1e6)
    assert trial["bytes_per_photo"] > 1000
    assert not list(db.parent.iterdir())


def test_what_is_missing_is_told_and_not_fetched(tmp_path: Path) -> None:
    db = tmp_path / "sample.db"
    result = mapcap("index", "sample", "--db", db, "--dry-run", "--preset", "poster")
    assert result.code == 0, result.err
    text = " ".join(result.out.split())
    assert "120 images of 10 classes" in text
    assert "--model ViT-B-32: timm/vit_base_patch32_clip_224.openai, about 605 MB: hf down" in text
    assert "--lm gpt2: gpt2, about 498 MB" in text
    assert "nothing was fetched or written" in text
    assert not list(tmp_path.iterdir())


def test_a_warning_is_said_once(tmp_path: Path) -> None:
    shutil.copytree(sample_path() / "bird", tmp_path / "photos" / "bird")
    db = tmp_path / "x.db"
    result = mapcap("index", tmp_path / "photos", "--db", db, "--dry-run", "--preset", "poster")
    assert result.err.count("with a single class") == 1


def test_what_a_run_would_refuse_is_refused(tmp_path: Path) -> None:
    class Console:
        def status(self, _: str) -> Any:
            raise AssertionError("not reached")

    with pytest.raises(UserError, match="--batch-size 0"):
        plan(
            with_preset(IndexConfig(photos="sample"), "mini"),
            device="cpu",
            dtype="auto",
            batch_size=0,
            console=Console(),  # type: ignore[arg-type]
        )
    result = mapcap(
        "index", "sample", "--db", tmp_path / "x.db", "--dry-run", "--model", "ViT-B-33"
    )
    assert result.code == 2
    assert "open_clip has no such model" in result.err


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "5 s"), (89, "89 s"), (300, "5 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
