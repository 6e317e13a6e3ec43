"""Names and tags: which weights, whose activation, and what to do about wrong ones."""

from pathlib import Path

import open_clip
import pytest
import torch
from open_clip.constants import OPENAI_DATASET_MEAN
from open_clip.pretrained import _PRETRAINED
from open_clip.transformer import QuickGELU
from torch import Tensor, nn

from mapcap.errors import UserError
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clip_names import Training, check_published, training_of

CPU = torch.device("cpu")


def _raw(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {name: tensor.clone() for name, tensor in load_file(path).items()}


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


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("name", "pretrained"), [("ViT-B-32", "openai"), ("hf-hub:someone/something", None)]
)
def test_without_a_network_the_way_out_is_told(name: str, pretrained: str | None) -> None:
    with pytest.raises(UserError, match=f"--model {name}: could not be loaded.*--model mini"):
        load_clip(name, pretrained, device=CPU)
