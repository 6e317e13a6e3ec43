"""Towers that cannot be read are told by the configuration, before any weights are there."""

import json
from pathlib import Path
from typing import Any

import pytest

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.loading import check_networks
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
