"""What a run needs of the hub, and how it is told where it cannot be had."""

import time
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks import downloads as downloads_module
from mapcap.networks import hub
from mapcap.networks.downloads import downloads, lacking
from mapcap.networks.loading import check_networks
from mapcap.presets import with_preset


def asked(preset: str = "mini", **named: Any) -> IndexConfig:
    return with_preset(IndexConfig(photos=""), preset, **named)


def repositories(config: IndexConfig) -> list[tuple[str, str]]:
    return [(each.part, each.repository) for each in downloads(config)]


def test_what_a_preset_needs() -> None:
    assert repositories(asked()) == []
    assert repositories(asked("poster")) == [
        ("model", "timm/vit_base_patch32_clip_224.openai"),
        ("captioner", "akhaliq/CLIP-prefix-captioning-conceptual-weights"),
        ("lm", "gpt2"),
    ]


def test_what_networks_that_are_named_need(tmp_path: Path) -> None:
    assert repositories(asked(model="ViT-B-16-SigLIP2", pretrained="webli")) == [
        ("model", "timm/ViT-B-16-SigLIP2"),
        ("model", "timm/ViT-B-16-SigLIP2"),  # its tokenizer
    ]
    here = str(tmp_path)
    config = asked(model=f"hf:{here}", captioner=f"vlm:{here}", lm=here)
    assert repositories(config) == []
    named = asked(model="hf:a/clip", captioner="vlm:b/vlm", lm="c/lm")
    assert repositories(named) == [("model", "a/clip"), ("captioner", "b/vlm"), ("lm", "c/lm")]


def test_offline_nothing_is_asked_for(reached: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=r"could not be fetched \(HF_HUB_OFFLINE is set\)\. Run"):
        check_networks(asked("strong"))
    assert reached == []


def test_a_hub_that_is_not_reached_is_tried_twice_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[str] = []

    def silent(repository: str, **_: Any) -> None:
        tries.append(repository)
        raise ConnectionError("no route")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "model_info", silent)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    missing = lacking(downloads(asked("poster")))
    assert [each.download.part for each in missing] == ["model", "captioner", "lm"]
    assert {each.reason for each in missing} == {"no route"}
    assert tries == ["timm/vit_base_patch32_clip_224.openai"] * 2


def test_what_the_hub_has_is_not_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads_module, "unreachable", lambda *_: None)
    assert lacking(downloads(asked("poster"))) == []


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("0.36.0", "--include '*.safetensors' '*.json'"),
        ("2.4.0", "--include '*.safetensors' --i"),
    ],
)
def test_the_command_is_of_the_client_that_is_installed(
    monkeypatch: pytest.MonkeyPatch, version: str, given: str
) -> None:
    monkeypatch.setattr(huggingface_hub, "__version__", version)
    command = downloads(asked(lm="gpt2"))[0].command
    assert command.startswith(f"hf download gpt2 {given}")
