"""transformers' CLIP and SigLIP, small and random, through `hf:FOLDER`: the same features."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
)

from mapcap.errors import UserError
from mapcap.networks.clip import load_clip
from mapcap.networks.clip_check import check_clip
from mapcap.relevance import chefer

CPU = torch.device("cpu")
VISION = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
TEXT = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
}  # fmt: skip


def shaken(model: Any) -> Any:
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=draw)
    return model.eval()


@pytest.fixture(params=["quick_gelu", "gelu"])
def clip_folder(request, tmp_path: Path) -> tuple[Path, Any]:
    shapes = {"hidden_act": request.param}
    config = CLIPConfig(
        vision_config=VISION | shapes,
        text_config=TEXT | shapes | {"max_position_embeddings": 77},
        projection_dim=20,
    )
    model = shaken(CLIPModel(config))
    model.save_pretrained(tmp_path)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(tmp_path)
    return tmp_path, model


def picture() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8)
    return Image.fromarray(values)


def pooled(output: Any) -> torch.Tensor:
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def test_clip_gives_transformers_features(clip_folder) -> None:
    folder, theirs = clip_folder
    clip = load_clip(f"hf:{folder}", device=CPU)
    assert (clip.grid, clip.size, clip.embed_dim) == ((4, 4), (32, 32), 20)
    images = torch.stack([clip.preprocess(picture())] * 2)
    tokens = clip.tokenizer(["a photo of a dog", "two lemons"])
    with torch.no_grad():
        expected = pooled(theirs.get_image_features(pixel_values=images))
        torch.testing.assert_close(clip.model.encode_image(images), expected, rtol=1e-4, atol=1e-5)
        # Theirs looks for the first end token, which stands where ours is the largest id.
        texts = pooled(theirs.get_text_features(input_ids=tokens))
        torch.testing.assert_close(clip.model.encode_text(tokens), texts, rtol=1e-4, atol=1e-5)
    assert float(clip.model.logit_scale) == pytest.approx(float(theirs.logit_scale))
    maps = chefer(clip.model, images, torch.nn.functional.normalize(texts, dim=-1))
    assert maps.shape == (2, 4, 4) and maps.any()
    check_clip(f"hf:{folder}", None)


def test_siglip_gives_transformers_features(tmp_path: Path, gpt2_tokenizer) -> None:
    text = TEXT | {"vocab_size": len(gpt2_tokenizer), "max_position_embeddings": 16}
    text |= {"projection_size": 32}
    theirs = shaken(SiglipModel(SiglipConfig(vision_config=VISION, text_config=text)))
    theirs.save_pretrained(tmp_path)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    gpt2_tokenizer.pad_token = gpt2_tokenizer.eos_token
    gpt2_tokenizer.save_pretrained(tmp_path)
    clip = load_clip(f"hf:{tmp_path}", device=CPU)
    assert (clip.grid, clip.resize_mode, clip.embed_dim) == ((4, 4), "squash", 32)
    images = torch.stack([clip.preprocess(picture())] * 2)
    tokens = clip.tokenizer(["a photo of a dog", "two lemons"])
    with torch.no_grad():
        expected = pooled(theirs.get_image_features(pixel_values=images))
        torch.testing.assert_close(clip.model.encode_image(images), expected, rtol=1e-4, atol=1e-4)
        texts = pooled(theirs.get_text_features(input_ids=tokens))
        torch.testing.assert_close(clip.model.encode_text(tokens), texts, rtol=1e-4, atol=1e-4)
    assert float(clip.model.logit_bias) == pytest.approx(float(theirs.logit_bias))


def test_pictures_are_prepared_as_theirs(clip_folder) -> None:
    folder, _ = clip_folder
    clip = load_clip(f"hf:{folder}", device=CPU)
    # Of a margin of an odd number of pixels the two round the half to different sides.
    wide = picture().resize((100, 50))
    theirs = CLIPImageProcessor.from_pretrained(folder)(wide, return_tensors="pt")
    difference = (clip.preprocess(wide) - theirs["pixel_values"][0]).abs()
    assert float(difference.mean()) < 0.05


@pytest.mark.parametrize(
    ("config", "word"),
    [("{}", "of kind None"), ("nonsense", "is not JSON"), ('{"model_type": "siglip2"}', "siglip2")],
)
def test_what_is_no_clip_is_refused(tmp_path: Path, config: str, word: str) -> None:
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(UserError, match=f"--model hf:.*{word}"):
        check_clip(f"hf:{tmp_path}", None)


def test_a_missing_one_and_weights_beside_it_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--model hf:nobody/nothing: .*--model hf:FOLDER"):
        check_clip("hf:nobody/nothing", None)
    with pytest.raises(UserError, match=r"--pretrained x: hf:.* brings its own"):
        check_clip(f"hf:{tmp_path}", "x")
