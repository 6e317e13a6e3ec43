"""`python -m scripts.compare_maps` on a few pictures of the sample."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from mapcap.relevance import METHODS
from scripts.compare_maps import main

TRANSFORMER = {"layers": 3, "width": 32, "image_size": 64, "patch_size": 8, "head_width": 8}
CONVOLUTIONS = {"layers": [1, 1, 1, 1], "width": 8, "image_size": 128, "head_width": 8}
OPTIONS = ("--limit-per-class", "1", "--threshold", "mean", "--sample", "4", "--json")


def saved(folder: Path, vision: dict[str, Any]) -> str:
    """Save a tiny network with random weights; return what --model calls it."""
    text = {"context_length": 77, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}
    config = {
        "model_cfg": {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    torch.manual_seed(0)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def test_every_method_stands_beside_the_centre_prior(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "--model", saved(tmp_path, TRANSFORMER), *OPTIONS]) == 0
    page = json.loads(capsys.readouterr().out)
    methods = [row["method"] for row in page["rows"]]
    assert {name.split()[0] for name in methods} == {*METHODS, "centre"}
    assert methods[-1] == "centre prior" and "deletion" not in page["rows"][-1]
    for row in page["rows"]:
        assert 0 < row["energy"] < 1 and 0 < row["box-iou mean"] < 1
    assert 0 < page["photos"] <= 10


def test_towers_of_convolutions_are_compared_by_blur(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = saved(tmp_path, CONVOLUTIONS)
    assert main(["sample", "--model", name, *OPTIONS]) == 0
    page = json.loads(capsys.readouterr().out)
    methods = [row["method"] for row in page["rows"]]
    assert methods == ["gradcam", "occlusion", "value", "centre prior"]
    assert all(0 <= row["deletion"] <= 1 for row in page["rows"][:-1])
    assert main(["sample", "--model", name, "--method", "chefer", *OPTIONS]) == 2
    assert "--method chefer" in capsys.readouterr().err


def test_photos_without_boxes_are_an_error(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
