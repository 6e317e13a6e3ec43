"""A network that the script trains is one that `--classifier` takes, with the names of classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mapcap.classifiers.kinds import check_classifier, load_classifier
from scripts.finetune_vit import main

COLOURS = {"blue": (20, 30, 220), "green": (20, 200, 40), "red": (230, 20, 20)}


def test_what_is_trained_is_a_classifier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for place in range(4):
            pixels = np.clip(np.array(colour) + draw.integers(-20, 20, (16, 16, 3)), 0, 255)
            image = Image.fromarray(pixels.astype(np.uint8))
            image.save(tmp_path / "photos" / name / f"{place}.png")
    file = tmp_path / "vit.safetensors"
    assert main([str(tmp_path / "photos"), str(file), "--seconds", "0.01"]) == 0
    assert "3 classes" in capsys.readouterr().out
    name = f"timm:test_vit|{file}"
    sketch = check_classifier(name)
    assert (sketch.count, sketch.names) == (3, [[each] for each in COLOURS])
    classifier = load_classifier(name, torch.device("cpu"))
    logits = classifier.head(classifier.trunk.encode_image(torch.zeros(1, 3, 160, 160)))
    assert logits.shape == (1, 3)


def test_a_folder_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none"), str(tmp_path / "vit.safetensors")]) == 2
    assert "does not exist" in capsys.readouterr().err
