"""A CLIP is loaded as open_clip loads it, and says what it reads."""

import shutil
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from mapcap.errors import UserError
from mapcap.networks import embedded
from mapcap.networks.clip import load_clip
from mapcap.networks.weights import load_weights

MiniClip = tuple[Path, dict[str, Tensor]]
CPU = torch.device("cpu")


def test_a_folder_of_float_weights_is_what_open_clip_loads(clip_folder: Path) -> None:
    clip = load_clip(f"local-dir:{clip_folder}", device=CPU)
    theirs, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{clip_folder}")
    picture = Image.radial_gradient("L").convert("RGB").resize((50, 40))
    images = preprocess(picture)[None]
    assert torch.equal(clip.preprocess(picture)[None], images)
    with torch.inference_mode():
        assert torch.equal(clip.model.encode_image(images), theirs.eval().encode_image(images))


def test_a_clip_says_what_it_reads(clip_folder: Path) -> None:
    clip = load_clip(f"local-dir:{clip_folder}", device=CPU)
    assert (clip.size, clip.grid, clip.embed_dim) == ((28, 28), (4, 4), 24)
    assert (clip.mean, clip.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (clip.resize_mode, clip.dtype, clip.device) == ("shortest", torch.float32, CPU)
    assert clip.view(56, 28).window == (14, 0, 42, 28)
    assert not clip.model.training
    assert not any(p.requires_grad for p in clip.model.parameters())


def test_the_type_of_numbers_can_be_chosen(clip_folder: Path) -> None:
    clip = load_clip(f"local-dir:{clip_folder}", device=CPU, dtype=torch.bfloat16)
    with torch.inference_mode():
        features = clip.model.encode_image(torch.zeros(1, 3, 28, 28, dtype=clip.dtype))
    assert features.dtype == clip.dtype == torch.bfloat16


def test_int8_weights_are_widened_and_fill_the_network(mini_clip: MiniClip) -> None:
    folder, exact = mini_clip
    clip = load_clip(f"local-dir:{folder}", device=CPU)
    widened = load_weights(folder / "open_clip_model.safetensors")
    own = clip.model.state_dict()
    assert set(own) == set(widened) == set(exact)
    for name, tensor in own.items():
        assert torch.equal(tensor, widened[name])
        assert torch.allclose(tensor, exact[name], atol=exact[name].abs().max().item() / 127)


def test_padding_does_not_change_a_text(mini_clip: MiniClip) -> None:
    clip = load_clip(f"local-dir:{mini_clip[0]}", device=CPU)
    texts = ["a brown dog", "a red car in front of a house"]
    with torch.inference_mode():
        both = clip.model.encode_text(clip.tokenizer(texts))
        tower = clip.model.text.transformer
        for text, got in zip(texts, both, strict=True):
            ids = clip.tokenizer.tokenizer(text, return_tensors="pt").input_ids  # type: ignore[attr-defined]
            assert torch.allclose(tower(ids).last_hidden_state.mean(1)[0], got, atol=1e-5)


def test_the_embedded_clip_needs_no_network_and_no_place_of_its_own(
    mini_clip: MiniClip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reached: list[Any],
) -> None:
    """Installed anywhere, read-only, called from anywhere, without HF_HUB_OFFLINE."""
    root = tmp_path / "site packages" / "mini"
    shutil.copytree(mini_clip[0], root / "clip")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(embedded, "ROOT", root)
    clip = load_clip("mini", device=CPU)
    assert clip.name == "mini"
    assert clip.tokenizer(["a brown dog"]).shape == (1, 20)
    assert reached == []
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_the_embedded_clip_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "ROOT", tmp_path / "mini")
    with pytest.raises(UserError, match=r"mini: the embedded networks are not in this install"):
        load_clip("mini", device=CPU)


def test_loading_is_silent(mini_clip: MiniClip, capfd: pytest.CaptureFixture[str]) -> None:
    load_clip(f"local-dir:{mini_clip[0]}", device=CPU)
    assert capfd.readouterr() == ("", "")


def test_weights_that_lack_a_tensor_are_refused(mini_clip: MiniClip, tmp_path: Path) -> None:
    shutil.copytree(mini_clip[0], tmp_path / "clip")
    path = tmp_path / "clip" / "open_clip_model.safetensors"
    stored = {
        k: v.clone() for k, v in load_file(path).items() if not k.startswith("visual.ln_post")
    }
    save_file(stored, path)
    with pytest.raises(UserError, match=r"missing: visual\.ln_post"):
        load_clip(f"local-dir:{tmp_path / 'clip'}", device=CPU)


@pytest.mark.parametrize("content", ["{", "[]", '{"model_cfg": 3}', '{"model_cfg": {}}', "3"])
def test_a_folder_that_is_not_open_clips_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(UserError, match=r"has no open_clip_config\.json"):
        load_clip(f"local-dir:{tmp_path}", device=CPU)
    (tmp_path / "open_clip_config.json").write_text(content)
    with pytest.raises(UserError, match=r"is not open_clip's configuration"):
        load_clip(f"local-dir:{tmp_path}", device=CPU)


def test_a_folder_without_weights_is_refused(clip_folder: Path, tmp_path: Path) -> None:
    shutil.copy(clip_folder / "open_clip_config.json", tmp_path)
    with pytest.raises(UserError, match="could not be loaded"):
        load_clip(f"local-dir:{tmp_path}", device=CPU)
