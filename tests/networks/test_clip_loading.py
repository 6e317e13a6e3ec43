import json
import shutil
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from open_clip.constants import OPENAI_DATASET_MEAN
from open_clip.pretrained import _PRETRAINED
from open_clip.transformer import QuickGELU
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from mapcap.errors import UserError
from mapcap.networks import embedded
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clip_check import check_clip
from mapcap.networks.clip_names import Training, check_published, training_of
from mapcap.networks.weights import load_weights

CPU = torch.device("cpu")
MiniClip = tuple[Path, dict[str, Tensor]]


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
    stored = {k: v for k, v in _raw(path).items() if not k.startswith("visual.ln_post")}
    save_file(stored, path)
    with pytest.raises(UserError, match=r"missing: visual\.ln_post"):
        load_clip(f"local-dir:{tmp_path / 'clip'}", device=CPU)


def _raw(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {name: tensor.clone() for name, tensor in load_file(path).items()}


@pytest.fixture
def registered(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Path]:
    """A small model under a name of open_clip's own, with a tag that asks for QuickGELU."""
    config = json.loads((clip_folder / "open_clip_config.json").read_text())["model_cfg"]
    config["quick_gelu"] = False
    (tmp_path / "Tiny-7.json").write_text(json.dumps(config))
    weights = tmp_path / "weights.safetensors"
    shutil.copyfile(clip_folder / "open_clip_model.safetensors", weights)
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIG_PATHS", [])
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIGS", {})
    open_clip.add_model_config(tmp_path / "Tiny-7.json")
    tags = {
        "openai": {"file": str(weights), "quick_gelu": True},
        "other": {"file": str(weights), "mean": [0.5, 0.5, 0.5], "resize_mode": "squash"},
    }
    monkeypatch.setitem(_PRETRAINED, "Tiny-7", tags)
    return "Tiny-7", weights


def _activation(clip: Clip) -> nn.Module:
    found: nn.Module = clip.model.visual.transformer.resblocks[0].mlp.gelu
    return found


def test_the_tag_decides_on_quick_gelu_not_the_name(registered: tuple[str, Path]) -> None:
    name = registered[0]
    assert isinstance(_activation(load_clip(name, "openai", device=CPU)), QuickGELU)
    assert isinstance(_activation(load_clip(name, "other", device=CPU)), nn.GELU)


def test_a_file_is_what_its_tag_says(registered: tuple[str, Path]) -> None:
    """QuickGELU, and how photos are prepared, are the tag's: the file holds neither."""
    name, weights = registered
    file = weights.rename(weights.with_name("mine.safetensors"))
    clip = load_clip(name, "openai", str(file), device=CPU)
    assert isinstance(_activation(clip), QuickGELU)
    assert (clip.mean, clip.resize_mode) == (OPENAI_DATASET_MEAN, "shortest")
    clip = load_clip(name, "other", str(file), device=CPU)
    assert isinstance(_activation(clip), nn.GELU)
    assert (clip.mean, clip.resize_mode) == ((0.5, 0.5, 0.5), "squash")


def test_a_file_alone_is_refused_where_tags_disagree(
    registered: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, weights = registered
    with pytest.raises(UserError, match=r"--pretrained TAG --weights .*: openai, other"):
        load_clip(name, str(weights), device=CPU)
    monkeypatch.delitem(_PRETRAINED[name], "openai")
    clip = load_clip(name, str(weights), device=CPU)
    assert isinstance(_activation(clip), nn.GELU) and clip.resize_mode == "squash"
    monkeypatch.delitem(_PRETRAINED[name], "other")
    assert load_clip(name, str(weights), device=CPU).resize_mode == "shortest"


@pytest.mark.parametrize(
    ("pretrained", "weights", "says"),
    [
        ("openai", "/no/such.pt", r"--weights /no/such\.pt: there is no such file"),
        ("{file}", "{file}", r"--pretrained .* is a file, too.*: openai, other"),
    ],
)
def test_weights_need_a_tag_and_a_file(
    registered: tuple[str, Path], pretrained: str, weights: str, says: str
) -> None:
    name, file = registered
    with pytest.raises(UserError, match=says):
        load_clip(name, pretrained.format(file=file), weights.format(file=file), device=CPU)


def test_openais_own_archives_are_read(registered: tuple[str, Path], tmp_path: Path) -> None:
    """What `clip.load` leaves behind: TorchScript, half precision, with three sizes inside."""
    name, weights = registered
    state = _raw(weights)
    path = tmp_path / "ViT.pt"
    torch.jit.script(Nested(state | {"input_resolution": torch.tensor(28)})).save(path)
    clip = load_clip(name, "openai", str(path), device=CPU)
    assert isinstance(_activation(clip), QuickGELU)
    for key, tensor in clip.model.state_dict().items():
        assert torch.equal(tensor, state[key].half().float()), key


class Nested(nn.Module):
    """Modules of the shape of a state dict's names, that run as little as OpenAI's archive."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for name in {name.partition(".")[0] for name in state if "." in name}:
            inner = {k.partition(".")[2]: v for k, v in state.items() if k.startswith(f"{name}.")}
            self.add_module(name, Nested(inner))
        for name, tensor in state.items():
            if "." not in name:
                half = tensor.half() if tensor.is_floating_point() else tensor
                self.register_buffer(name, half)

    def forward(self, x: Tensor) -> Tensor:
        return x


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


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336"])
def test_openai_weights_would_get_quick_gelu(name: str) -> None:
    assert not open_clip.get_model_config(name).get("quick_gelu", False)
    assert training_of(name, "openai") == Training(True, ())


def test_laion_weights_would_get_gelu() -> None:
    assert training_of("ViT-B-32", "laion2b_s34b_b79k") == Training(False, ())


@pytest.mark.parametrize(
    ("name", "pretrained", "says"),
    [
        ("ViT-B-33", "openai", r"--model ViT-B-33: .*Did you mean ViT-B-32"),
        ("ViT-B-32", "opanai", r"--pretrained opanai: .*Did you mean openai"),
        ("ViT-B/32", None, r"--model ViT-B-32 needs weights: .*--pretrained.*openai"),
        ("ViT-B-32", "missing.pt", r"--pretrained missing\.pt: neither a tag"),
        ("local-dir:/no/such/folder", None, r"folder /no/such/folder does not exist"),
        ("local-dir:", "openai", r"--pretrained openai: local-dir: brings its own weights"),
    ],
)
def test_wrong_names_get_the_right_ones(name: str, pretrained: str | None, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load_clip(name, pretrained, device=CPU)


def test_right_names_pass() -> None:
    check_published("ViT-B-32", "openai")


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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("name", "pretrained"), [("ViT-B-32", "openai"), ("hf-hub:someone/something", None)]
)
def test_without_a_network_the_way_out_is_told(name: str, pretrained: str | None) -> None:
    with pytest.raises(UserError, match=f"--model {name}: could not be loaded.*--model mini"):
        load_clip(name, pretrained, device=CPU)


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
