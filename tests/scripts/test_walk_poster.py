"""Preset `poster` from four local files in the published formats, end to end without a hub."""

import shutil
from pathlib import Path

import pytest

from db import queries
from db.engine import open_read
from scripts.walk_poster import main


@pytest.mark.timeout(900)  # 630 MB of weights are written, and read
def test_the_poster_runs_from_files_in_the_published_formats(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    whole = tmp_path / "photos"
    shutil.copytree(photos, whole, ignore=shutil.ignore_patterns("broken*"))
    with pytest.raises(SystemExit) as ended:
        main([str(whole), "--out", str(tmp_path), "--limit-per-class", "1"])
    assert not ended.value.code
    written = {path.name for path in (tmp_path / "gpt2").iterdir()} | {
        path.name for path in tmp_path.iterdir()
    }
    assert {"ViT-B-32.pt", "conceptual_weights.pt", "model.safetensors", "tokenizer.json"} < written
    engine = open_read(tmp_path / "poster.db")
    run = queries.latest_run(engine)
    assert run.status == "done" and run.preset == "poster"
    assert run.config["pretrained"] == "openai" and run.config["threshold"] == "half"
    counts = queries.counts(engine, run.id)
    assert counts.readable == counts.predicted == 3 and counts.regions
    found = queries.captions(engine, queries.classes(engine, run.id)[1].id)
    assert found and all(caption.text for caption in found)
