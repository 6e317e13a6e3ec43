from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch, load_captioner
from mapcap.networks.captioners.phrases import PHRASES, read_phrases
from mapcap.networks.clip import Clip
from mapcap.presets import with_preset

CPU = torch.device("cpu")
PLAIN = IndexConfig(photos="")


def test_a_caption_is_the_phrase_nearest_in_the_joint_space(clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# mine\n a  brown dog\n\nfire\na red car\nfire\n", encoding="utf-8")
    phrases = ["a brown dog", "fire", "a red car"]
    captioner = load_captioner(replace(PLAIN, captioner=f"phrases:{path}"), clip, CPU)
    torch.manual_seed(0)
    features = torch.randn(12, 24)
    captions = captioner.caption(RegionBatch(features))
    with torch.inference_mode():
        texts = F.normalize(clip.model.encode_text(clip.tokenizer(phrases)), dim=1)
        logits = F.normalize(features, dim=1) @ texts.T * clip.model.logit_scale.exp()
    for row, caption in zip(logits.log_softmax(1), captions, strict=True):
        assert caption.text == phrases[int(row.argmax())]
        assert caption.token_ids == (int(row.argmax()),)
        assert caption.log_probability == pytest.approx(row.max().item(), abs=1e-4)
    assert len({caption.text for caption in captions}) > 1
    with pytest.raises(ValueError, match="captions features"):
        captioner.caption(RegionBatch())


def test_the_built_in_phrases_are_distinct_and_plain() -> None:
    phrases = read_phrases(replace(PLAIN, captioner="phrases"))
    lines = PHRASES.read_text(encoding="utf-8").splitlines()
    written = [line for line in lines if not line.startswith("#")]
    assert list(phrases) == written
    assert len(phrases) >= 600
    assert all(phrase == phrase.strip() and phrase.isascii() for phrase in phrases)


def test_a_file_without_a_phrase_is_refused(tmp_path: Path, clip: Clip) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("# nothing\n\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"empty\.txt holds no phrase"):
        load_captioner(replace(PLAIN, captioner=f"phrases:{path}"), clip, CPU)


@pytest.mark.parametrize(
    ("preset", "named", "expected"),
    [
        ("mini", {}, "mini"),
        ("mini", {"lm": "gpt2"}, "mini"),
        ("mini", {"model": "mini"}, "mini"),
        ("mini", {"model": "ViT-B-32", "pretrained": "openai"}, "phrases"),
        ("mini", {"model": "ViT-B-32", "captioner": "blip:x"}, "blip:x"),
        ("poster", {"model": "RN50", "pretrained": "openai"}, "phrases"),
        ("poster", {"pretrained": "laion2b_e16"}, "phrases"),
        ("strong", {"model": "mini"}, "vlm:Qwen/Qwen3-VL-2B-Instruct"),
    ],
)
def test_another_clip_gets_a_captioner_that_works_with_any(
    preset: str, named: dict[str, str], expected: str
) -> None:
    assert with_preset(PLAIN, preset, **named).captioner == expected
