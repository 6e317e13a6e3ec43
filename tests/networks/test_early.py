"""Towers that cannot be read are told by the configuration, before any weights are there."""

import json
from pathlib import Path
from typing import Any

import pytest
import transformers as tf
from huggingface_hub import constants

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks import hub
from mapcap.networks.loading import check_networks
from mapcap.presets import PRESETS, with_preset
from tests.networks.conftest import PREPROCESS, TEXT, VISION

SWIN = {"timm_model_name": "swin_tiny_patch4_window7_224", "image_size": 224}
FIRST = TEXT | {"pool_type": "first"}


@pytest.mark.parametrize(
    ("vision", "text", "says"),
    [
        (SWIN, TEXT, "vision tower timm SwinTransformer.*What works"),
        (VISION, FIRST, "pool_type 'first'.*What works"),
    ],
)
def test_towers_that_cannot_be_read_are_refused_before_any_weights(
    vision: dict[str, Any],
    text: dict[str, Any],
    says: str,
    tmp_path: Path,
    lm_folder: Path,
    reached: list[Any],
) -> None:
    config = {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text}
    whole = {"model_cfg": config, "preprocess_cfg": PREPROCESS}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(whole), encoding="utf-8")
    # Not weights at all: reading them would say something else.
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"\0" * 64)
    run = IndexConfig(
        photos="", model=f"local-dir:{tmp_path}", captioner="phrases", lm=str(lm_folder)
    )
    with pytest.raises(UserError, match=says):
        check_networks(run)
    assert reached == []


# What the hub's configurations of the presets' networks are, as far as the checks read them.
KINDS: dict[str | Path, Any] = {
    "gpt2": tf.GPT2Config,
    "HuggingFaceTB/SmolVLM-256M-Instruct": tf.Idefics3Config,
    "HuggingFaceTB/SmolLM2-360M": tf.LlamaConfig,
    "Qwen/Qwen3-VL-2B-Instruct": tf.Qwen3VLConfig,
    "Qwen/Qwen3-0.6B-Base": tf.Qwen3Config,
}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_passes_by_configurations_alone(
    preset: str, reached: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "model_info", lambda *_, **__: None)  # the hub has all that is asked

    read = tf.AutoConfig.from_pretrained

    def configuration(source: str | Path, **options: Any) -> Any:
        return KINDS[source]() if source in KINDS else read(source, **options)

    monkeypatch.setattr(tf.AutoConfig, "from_pretrained", configuration)
    check_networks(with_preset(IndexConfig(photos=""), preset))
    assert reached == [], "no weights are fetched"
