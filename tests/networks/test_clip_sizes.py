"""Sizes of pictures that a CLIP takes, and the patches they have."""

import json
import shutil
from pathlib import Path

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from mapcap.errors import UserError
from mapcap.networks.clip import load_clip
from mapcap.networks.clip_check import check_clip

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [[28, 42], [42, 28]])
def test_a_view_may_be_oblong(clip_folder: Path, tmp_path: Path, size: list[int]) -> None:
    config = json.loads((clip_folder / "open_clip_config.json").read_text())
    config["model_cfg"]["vision_cfg"]["image_size"] = size
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    model = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    clip = load_clip(f"local-dir:{tmp_path}", device=CPU)
    assert clip.size == tuple(size) and clip.grid == (size[0] // 7, size[1] // 7)
    pixels = clip.preprocess(Image.new("RGB", (90, 60)))
    assert pixels.shape == (3, *size)
    with torch.inference_mode():
        assert clip.model.encode_image(pixels[None]).shape == (1, 24)


def test_a_convolutional_tower_has_the_cells_of_its_last_stage(tmp_path: Path) -> None:
    vision = {"layers": [1, 1, 1, 1], "width": 8, "image_size": 64, "head_width": 8}
    text = {"context_length": 8, "vocab_size": 10, "width": 8, "heads": 1, "layers": 1}
    config = {"model_cfg": {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    model = open_clip.create_model(f"local-dir:{tmp_path}", load_weights=False)
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    clip = load_clip(f"local-dir:{tmp_path}", device=CPU)
    assert clip.grid == (2, 2)
    with pytest.raises(UserError, match=r"--relevance chefer: .*Add --relevance gradcam"):
        check_clip(f"local-dir:{tmp_path}", None)
    check_clip(f"local-dir:{tmp_path}", None, relevance="gradcam")


@pytest.mark.parametrize("as_file", [False, True])
def test_another_size_of_pictures_has_more_patches(
    registered: tuple[str, Path], as_file: bool
) -> None:
    name, weights = registered
    file = None
    if as_file:
        file = str(shutil.copyfile(weights, weights.with_name("mine.safetensors")))
    usual = load_clip(name, "openai", file, device=CPU)
    side = 2 * usual.size[0]
    check_clip(name, "openai", file, image_size=side)
    larger = load_clip(name, "openai", file, image_size=side, device=CPU)
    assert larger.size == (side, side)
    assert larger.grid == (2 * usual.grid[0], 2 * usual.grid[1])
    features = larger.model.encode_image(torch.zeros(1, 3, side, side))
    assert features.shape == (1, usual.embed_dim)
    assert features.isfinite().all()


def test_a_size_that_is_no_multiple_of_the_patches(registered: tuple[str, Path]) -> None:
    name = registered[0]
    side = 2 * load_clip(name, "openai", device=CPU).size[0]
    with pytest.raises(UserError, match=rf"--image-size {side + 1}: .* such as {side}\."):
        check_clip(name, "openai", image_size=side + 1)


@pytest.mark.parametrize("name", ["mini", "hf:someone/thing"])
def test_a_clip_that_takes_no_other_size(name: str) -> None:
    with pytest.raises(UserError, match=r"--image-size 448: only CLIPs .* --model is .*Leave it"):
        load_clip(name, image_size=448, device=CPU)


def test_convolutions_take_no_other_size() -> None:
    with pytest.raises(UserError, match=r"--image-size 288: .* made of convolutions"):
        check_clip("RN50", "openai", None, "gradcam", 288)
