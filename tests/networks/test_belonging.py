"""Parts that belong together: a ClipCap, the CLIP that it reads and the GPT-2 that it brings."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer, GPT2LMHeadModel
from transformers.activations import NewGELUActivation

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks import embedded
from mapcap.networks.captioners import RegionBatch, check_captioner, load_captioner
from mapcap.networks.captioners import clipcap as captioner_module
from mapcap.networks.captioners.clipcap import ClipCapCaptioner
from mapcap.networks.captioners.origins import Origin, origin
from mapcap.networks.clip import Clip
from mapcap.networks.clip_names import identity
from mapcap.networks.weights import Outline, load_weights, outline

CPU = torch.device("cpu")
Write = Callable[..., Path]
WIDTH = 32


def mapper_state(features: int = 24) -> dict[str, Tensor]:
    torch.manual_seed(0)
    shapes = {
        "0.weight": (8, features),
        "0.bias": (8,),
        "2.weight": (3 * WIDTH, 8),
        "2.bias": (3 * WIDTH,),
    }
    return {f"clip_project.model.{name}": torch.randn(shape) for name, shape in shapes.items()}


def with_gpt2(model: GPT2LMHeadModel) -> dict[str, Tensor]:
    return mapper_state() | {f"gpt.{name}": t.clone() for name, t in model.state_dict().items()}


@pytest.fixture
def run(clip_folder: Path) -> IndexConfig:
    return IndexConfig(photos="", model=f"local-dir:{clip_folder}")


def test_a_clipcap_brings_the_gpt2_of_its_file_and_its_shapes(
    run: IndexConfig,
    clip: Clip,
    make_gpt2: Callable[..., GPT2LMHeadModel],
    lm: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No language model is named, and the run's `--lm` does not matter."""
    model = make_gpt2(len(lm.tokenizer), width=128, seed=7, n_inner=64)
    model.config.n_head = 2  # as every published GPT-2: 64 wide
    model = type(model)(model.config).eval()
    state = with_gpt2(model)
    state["clip_project.model.2.weight"] = torch.randn(3 * 128, 8)
    state["clip_project.model.2.bias"] = torch.randn(3 * 128)
    path = tmp_path / "published.pt"
    torch.save({"clip": identity(run.model, None), "state_dict": state}, path)
    monkeypatch.setattr(captioner_module, "unreachable", lambda *_: None)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda _name: lm.tokenizer)
    config = replace(run, captioner=f"clipcap:{path}", lm="another/language-model")
    captioner = load_captioner(config, clip, CPU)
    assert isinstance(captioner, ClipCapCaptioner)
    features = torch.randn(3, 24)
    captions = captioner.caption(RegionBatch(features))
    assert captions == captioner.clipcap.generate(features)
    prefix = captioner.clipcap.mapper(features[:1])
    with torch.inference_mode():
        first = model(inputs_embeds=prefix).logits[0, -1].argmax().item()
    assert captions[0].token_ids[0] == first
    modules = list(captioner.clipcap.language_model.modules())
    assert not any(isinstance(module, NewGELUActivation) for module in modules)
    with pytest.raises(ValueError, match="captions features"):
        captioner.caption(RegionBatch())


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_file_names_its_clip_and_its_decoder(
    suffix: str, run: IndexConfig, clip: Clip, lm_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"clipcap{suffix}"
    notes = {"clip": run.model, "decoder": str(lm_folder), "normalise": "true"}
    if suffix == ".pt":
        torch.save({**notes, "state_dict": mapper_state()}, path)
    else:
        save_file(mapper_state(), path, metadata=notes)
    captioner = load_captioner(replace(run, captioner=f"clipcap:{path}"), clip, CPU)
    assert isinstance(captioner, ClipCapCaptioner)
    assert captioner.clipcap.normalise
    assert len(captioner.caption(RegionBatch(torch.randn(4, 24)))) == 4


def test_a_clipcap_of_another_clip_is_refused_though_the_widths_agree(
    run: IndexConfig, lm_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clipcap.pt"
    notes = {"clip": "ViT-L-14/openai", "decoder": str(lm_folder)}
    torch.save({**notes, "state_dict": mapper_state()}, path)
    with pytest.raises(UserError, match=r"--captioner .*clipcap\.pt reads the features of") as told:
        check_captioner(replace(run, captioner=f"clipcap:{path}"))
    assert "Give --model ViT-L-14 --pretrained openai, or" in str(told.value)
    assert "--captioner phrases" in str(told.value)


def test_the_embedded_captioner_belongs_to_the_embedded_clip(
    run: IndexConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"--captioner mini reads the features of mini.*--model"):
        check_captioner(replace(run, captioner="mini"))
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"clipcap\.safetensors is missing"):
        check_captioner(IndexConfig(photos=""))


def test_a_published_name_is_refused_before_it_is_fetched(
    run: IndexConfig, reached: list[Any]
) -> None:
    name = "akhaliq/CLIP-prefix-captioning-COCO-weights/coco_weights.pt"
    with pytest.raises(UserError, match="reads the features of ViT-B-32/openai"):
        check_captioner(replace(run, captioner=f"clipcap:hf-hub:{name}"))
    assert reached == []


def test_a_file_that_does_not_say_its_clip_is_refused_with_the_way_to_say_it(
    run: IndexConfig, clip: Clip, lm: Any, published: Write, lm_folder: Path, tmp_path: Path
) -> None:
    path = published(with_gpt2(lm.model))
    config = replace(run, captioner=f"clipcap:{path}")
    with pytest.raises(UserError, match="does not say which CLIP it was made for") as told:
        check_captioner(config)
    command = re.search(r"python -c '(.*)', and give", str(told.value))
    assert command is not None
    exec(command[1].replace("noted.pt", str(tmp_path / "noted.pt")))  # the advice works
    check_captioner(replace(run, captioner=f"clipcap:{tmp_path / 'noted.pt'}"))


def test_a_file_without_a_language_model_has_to_name_one(
    run: IndexConfig, clip: Clip, tmp_path: Path
) -> None:
    path = tmp_path / "clipcap.pt"
    torch.save({"clip": run.model, "state_dict": mapper_state()}, path)
    with pytest.raises(UserError, match=r"holds no language model .*decoder"):
        load_captioner(replace(run, captioner=f"clipcap:{path}"), clip, CPU)


def test_the_published_files_are_known_by_their_shapes() -> None:
    mlp = Outline({"clip_project.model.0.weight": (3840, 512)}, {})
    transformer = Outline({"clip_project.linear.weight": (40 * 768, 640)}, {})
    assert origin(mlp) == Origin("ViT-B-32/openai")
    assert origin(transformer) == Origin("RN50x4/openai", normalise=True)
    assert origin(Outline({"clip_project.model.0.weight": (3840, 768)}, {})) is None


@pytest.mark.parametrize(
    ("name", "pretrained", "expected"),
    [
        ("ViT-B-32", "openai", "ViT-B-32/openai"),
        ("ViT-B-32-quickgelu", "openai", "ViT-B-32/openai"),
        ("ViT-B/32", "openai", "ViT-B-32/openai"),
        ("hf-hub:timm/vit_base_patch32_clip_224.openai", None, "ViT-B-32/openai"),
        ("hf-hub:someone/else", None, "hf-hub:someone/else"),
        (f"local-dir:{embedded.ROOT / 'clip'}", None, "mini"),
        ("mini", None, "mini"),
    ],
)
def test_a_clip_has_one_identity_however_it_is_named(
    name: str, pretrained: str | None, expected: str
) -> None:
    assert identity(name, pretrained) == expected


def test_an_outline_has_shapes_and_notes_and_reads_no_weights(
    published: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {f"module.{name}": tensor for name, tensor in mapper_state().items()}
    path = published({"clip": "x", "epoch": 3, "state_dict": state})
    seen = outline(path)
    assert seen.notes == {"clip": "x"}
    assert seen.shapes == {name: tuple(t.shape) for name, t in mapper_state().items()}
    assert {n: t.shape for n, t in load_weights(path).items()} == seen.shapes
