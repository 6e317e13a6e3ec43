"""CoCa as a captioner: a tiny random one as open_clip makes it, against open_clip's `generate`."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from open_clip import coca_model
from PIL import Image
from safetensors.torch import save_file
from transformers import TopKLogitsWarper

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.indexing.digests import digests
from mapcap.networks.captioners import RegionBatch, check_captioner, load_captioner
from mapcap.networks.captioners.coca import CocaCaptioner
from mapcap.networks.clip import Clip
from mapcap.networks.downloads import downloads
from tests.networks.conftest import PREPROCESS, same_alone

CPU = torch.device("cpu")
START, END = 49406, 49407
VISION = {
    "image_size": 32, "patch_size": 8, "width": 32, "layers": 2, "head_width": 8,
    "attentional_pool": True, "attn_pooler_heads": 4, "attn_pooler_queries": 8,
    "output_tokens": True,
}  # fmt: skip
TEXT = {
    "context_length": 40, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2,
    "embed_cls": True, "output_tokens": True,
}  # fmt: skip
DECODER = {"context_length": 40, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}


def asked(captioner: str) -> IndexConfig:
    return IndexConfig(photos="", captioner=captioner)


def write(folder: Path, **parts: Any) -> None:
    config = {
        "embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT, "multimodal_cfg": DECODER,
        "custom_text": True, **parts,
    }  # fmt: skip
    whole = {"model_cfg": config, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(whole), encoding="utf-8")


@pytest.fixture(scope="module")
def coca_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CoCa of random weights, as open_clip writes one."""
    folder = tmp_path_factory.mktemp("coca")
    write(folder)
    torch.manual_seed(0)
    model: Any = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    with torch.no_grad():  # so that what is said varies with what is seen, and ends
        for name, weight in model.named_parameters():
            if weight.ndim >= 2:
                weight.mul_(30 if "embedding" in name else 3)
            if name == "text_decoder.text_projection":
                weight.normal_()
                weight[:, END] *= 7
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture
def coca(coca_folder: Path, clip: Clip) -> CocaCaptioner:
    captioner = load_captioner(asked(f"coca:local-dir:{coca_folder}"), clip, CPU)
    assert isinstance(captioner, CocaCaptioner)
    return captioner


@pytest.mark.usefixtures("threads")
def test_captions_of_crops_are_the_same_whatever_the_batch(
    coca: CocaCaptioner, crops: list[Image.Image]
) -> None:
    assert coca.needs == "crops"
    captions = same_alone(coca, crops, 1e-4)
    assert len({len(each.token_ids) for each in captions}) > 1
    assert len({each.token_ids for each in captions}) == len(crops)
    assert not any(mark in each.text for each in captions for mark in ("<start", "<end"))


@pytest.mark.usefixtures("threads")
def test_captions_are_those_of_open_clips_own_generation(
    coca: CocaCaptioner, crops: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With transformers 5 open_clip misses a class for its search over beams, and refuses the rest.
    monkeypatch.setattr(coca_model, "_has_transformers", True)
    monkeypatch.setitem(coca_model.GENERATION_TYPES, "top_k", TopKLogitsWarper)
    pixels = torch.stack([coca.prepare(crop) for crop in crops])
    rows = coca.clip.model.generate(pixels, generation_type="top_k", top_k=1).tolist()
    for caption, row in zip(coca.caption(RegionBatch(crops=crops)), rows, strict=True):
        said = list(caption.token_ids)
        assert row[0] == START
        assert row[1 : row.index(END) + 1] == (said if said[-1] == END else [*said[:-1], END])


@torch.inference_mode()
def test_log_probabilities_are_those_of_the_whole_caption_read_at_once(
    coca: CocaCaptioner, crops: list[Image.Image]
) -> None:
    model = coca.clip.model
    for crop, caption in zip(crops, coca.caption(RegionBatch(crops=crops)), strict=True):
        text = torch.tensor([[START, *caption.token_ids]])
        read = model(coca.prepare(crop)[None], text)  # logits of all but the last, and what follows
        log_p = read["logits"].double().log_softmax(-1).gather(2, read["labels"][..., None])
        assert caption.log_probability == pytest.approx(log_p.mean().item(), abs=1e-4)


def test_the_whole_of_an_oblong_crop_is_seen(coca: CocaCaptioner) -> None:
    left = Image.new("RGB", (90, 30), "red")
    other = left.copy()
    other.paste("blue", (80, 0, 90, 30))
    assert coca.prepare(left).shape == (3, 32, 32)
    assert not torch.equal(coca.prepare(left), coca.prepare(other))


def test_without_crops_it_is_a_mistake(coca: CocaCaptioner) -> None:
    assert coca.caption(RegionBatch()) == []
    with pytest.raises(ValueError, match="captions crops"):
        coca.caption(RegionBatch(features=torch.ones(2, 3)))


def test_what_does_not_speak_is_refused_by_its_configuration(
    clip_folder: Path, mini_clip: tuple[Path, object], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"is no CoCa.*coca:coca_ViT-L-14/"):
        check_captioner(asked(f"coca:local-dir:{clip_folder}"))
    # A text tower of transformers reads what comes after, too.
    both_ways = {"hf_model_name": str(mini_clip[0]), "hf_pooler_type": "mean_pooler"}
    write(tmp_path, text_cfg=both_ways)
    with pytest.raises(UserError, match="is no CoCa"):
        check_captioner(asked(f"coca:local-dir:{tmp_path}"))


def test_names_are_those_of_open_clip() -> None:
    with pytest.raises(UserError, match="--captioner coca:coca_ViT-B-32/laion: the CoCa cannot be"):
        check_captioner(asked("coca:coca_ViT-B-32/laion"))
    with pytest.raises(UserError, match="needs weights"):
        check_captioner(asked("coca:coca_ViT-B-32"))
    check_captioner(asked("coca:coca_ViT-B-32/laion2b_s13b_b90k"))


def test_its_files_are_known_before_it_is_loaded(coca_folder: Path) -> None:
    (needed,) = downloads(asked("coca:coca_ViT-B-32/laion2b_s13b_b90k"))
    assert (needed.part, needed.repository) == (
        "captioner",
        "laion/CoCa-ViT-B-32-laion2B-s13B-b90k",
    )
    here = asked(f"coca:local-dir:{coca_folder}")
    assert downloads(here) == []
    assert "--captioner" in digests(here)
