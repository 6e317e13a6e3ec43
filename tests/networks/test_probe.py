"""Looking before working: configurations first, then one picture of noise through everything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch, load_captioner
from mapcap.networks.captioners.phrases import PhraseCaptioner
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.language_models import LanguageModel
from mapcap.networks.loading import check_networks
from mapcap.networks.probe import probe
from mapcap.presets import with_preset

CPU = torch.device("cpu")


@pytest.fixture
def run(clip_folder: Path, lm_folder: Path, tmp_path: Path) -> IndexConfig:
    (tmp_path / "words.txt").write_text("a dog\na car\n", encoding="utf-8")
    return IndexConfig(
        photos="",
        model=f"local-dir:{clip_folder}",
        captioner=f"phrases:{tmp_path / 'words.txt'}",
        lm=str(lm_folder),
    )


def test_good_networks_pass(run: IndexConfig, clip: Clip, lm: LanguageModel) -> None:
    check_networks(run)
    probe(run, clip, load_captioner(run, clip, CPU), lm)


def test_all_that_is_missing_is_said_at_once_with_the_preset(reached: list[Any]) -> None:
    with pytest.raises(UserError) as told:
        check_networks(with_preset(IndexConfig(photos=""), "poster", lm="/no/such/folder"))
    missing, lm = str(told.value).splitlines()
    assert missing.startswith("not on this machine, and could not be fetched (")
    for part in (
        "--preset poster asks for --model ViT-B-32 (timm/vit_base_patch32_clip_224.openai, "
        "about 605 MB): hf download timm/vit_base_patch32_clip_224.openai open_clip_model.safe",
        "--preset poster asks for --captioner clipcap:hf-hub:akhaliq/",
    ):
        assert part in missing
    assert lm.startswith("--lm /no/such/folder: there is no such folder")
    assert reached


@pytest.mark.parametrize(
    ("name", "tag"), [("RN50", "openai"), ("MobileCLIP-S1", "datacompdr"), ("convnext_base", "x")]
)
def test_attention_is_not_asked_of_convolutions_before_anything_is_fetched(
    name: str, tag: str, reached: list[Any], tmp_path: Path
) -> None:
    weights = tmp_path / "x"
    weights.write_bytes(b"")
    config = IndexConfig(
        photos="", captioner="phrases", model=name, pretrained=str(weights) if tag == "x" else tag
    )
    with pytest.raises(UserError, match=f"--relevance chefer: .*--model {name} .*gradcam"):
        check_networks(config)
    assert reached == []


class Silent(PhraseCaptioner):
    def caption(self, batch: RegionBatch) -> list[Caption]:
        raise AttributeError("'NoneType' object has no attribute 'grid_thw'")


def broken_captioner(run: IndexConfig, clip: Clip, lm: LanguageModel) -> None:
    probe(run, clip, Silent(clip, ("a",), torch.ones(1, 24)), lm)


def broken_language_model(run: IndexConfig, clip: Clip, lm: LanguageModel) -> None:
    nothing: Any = None
    probe(run, clip, load_captioner(run, clip, CPU), replace(lm, model=nothing))


def broken_clip(run: IndexConfig, clip: Clip, lm: LanguageModel) -> None:
    wrong = replace(clip, grid=(1, 1))
    probe(run, wrong, load_captioner(run, clip, CPU), lm)


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (broken_captioner, "--captioner phrases:.*failed at captions .AttributeError: .*grid_thw"),
        (broken_language_model, "--lm .*failed at the PMI of two sentences"),
        (broken_clip, r"--model local-dir:.*failed at predictions and maps .*1.* patches"),
    ],
)
def test_what_fails_names_its_option(
    attempt: Callable[..., None], says: str, run: IndexConfig, clip: Clip, lm: LanguageModel
) -> None:
    with pytest.raises(UserError, match=says):
        attempt(run, clip, lm)


def test_a_start_layer_that_the_tower_lacks_is_refused(
    run: IndexConfig, clip: Clip, lm: LanguageModel
) -> None:
    config = replace(run, relevance_start_layer=99)
    with pytest.raises(UserError, match="relevance start layer 99"):
        probe(config, clip, load_captioner(run, clip, CPU), lm)
