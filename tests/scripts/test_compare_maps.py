"""`python -m scripts.compare_maps` on a few pictures of the sample."""

import json
from pathlib import Path

import open_clip
import pytest
from safetensors.torch import save_file

from mapcap.relevance import METHODS
from scripts.compare_maps import main


def test_every_method_stands_beside_the_centre_prior(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--limit-per-class", "2", "--threshold", "mean", "--sample", "8", "--json")
    assert main(["sample", *options]) == 0
    page = json.loads(capsys.readouterr().out)
    methods = [row["method"] for row in page["rows"]]
    assert {name.split()[0] for name in methods} == {*METHODS, "centre"}
    assert methods[-1] == "centre prior" and "deletion" not in page["rows"][-1]
    for row in page["rows"]:
        assert 0 < row["energy"] < 1 and 0 < row["box-iou mean"] < 1
    assert 0 < page["photos"] <= 20


def test_towers_of_convolutions_are_compared_by_blur(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vision = {"layers": [1, 1, 1, 1], "width": 8, "image_size": 128, "head_width": 8}
    text = {"context_length": 77, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}
    config = {
        "model_cfg": {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {},
    }
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    model = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    options = ("--limit-per-class", "1", "--threshold", "mean", "--sample", "4", "--json")
    assert main(["sample", "--model", f"local-dir:{tmp_path}", *options]) == 0
    page = json.loads(capsys.readouterr().out)
    methods = [row["method"] for row in page["rows"]]
    assert methods == ["gradcam", "occlusion", "value", "centre prior"]
    assert all(0 <= row["deletion"] <= 1 for row in page["rows"][:-1])
    asked = ("--method", "chefer", *options)
    assert main(["sample", "--model", f"local-dir:{tmp_path}", *asked]) == 2
    assert "--method chefer" in capsys.readouterr().err


def test_photos_without_boxes_are_an_error(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
