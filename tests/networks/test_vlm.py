"""Vision-language networks as captioners: tiny random ones, as `save_pretrained` writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch, check_captioner, load_captioner, vlm
from mapcap.networks.captioners.vlm import VlmCaptioner
from mapcap.networks.clip import Clip
from tests.networks.conftest import same_alone
from tests.networks.tiny_vlms import (
    blip2,
    florence2,
    gemma3,
    git,
    idefics3,
    internvl,
    llava,
    paligemma,
    qwen,
    qwen3,
    saved,
    smolvlm,
)

VLMS = [llava, qwen, qwen3, idefics3, smolvlm, internvl, gemma3, paligemma, florence2]
CPU = torch.device("cpu")


@pytest.fixture
def words_for_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """SmolVLM's processor wants the package num2words, and for videos alone."""
    from transformers.models.smolvlm import processing_smolvlm

    monkeypatch.setattr(processing_smolvlm, "num2words", str)
    monkeypatch.setattr(vlm, "find_spec", lambda name: name)


@pytest.fixture(scope="module")
def crops() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    shapes = [(20, 40), (32, 32), (50, 30), (64, 64)]
    return [
        Image.fromarray(rng.integers(40 * i, 40 * i + 60, (height, width, 3), dtype=np.uint8))
        for i, (height, width) in enumerate(shapes)
    ]


def asked(captioner: str, **more: Any) -> IndexConfig:
    return IndexConfig(photos="", captioner=captioner, **more)


@pytest.mark.usefixtures("threads", "words_for_numbers")
@pytest.mark.parametrize(("kind", "make"), [*(("vlm", make) for make in VLMS), ("blip", git)])
def test_a_vision_language_network_captions_crops_whatever_the_batch(
    kind: str,
    make: Callable[[], tuple[Any, Any]],
    clip: Clip,
    crops: list[Image.Image],
    tmp_path: Path,
) -> None:
    folder = saved(tmp_path / "vlm", make)
    captioner = load_captioner(asked(f"{kind}:{folder}"), clip, CPU)
    assert captioner.needs == "crops"
    captions = same_alone(captioner, crops, 1e-3)
    assert all(each.token_ids and each.log_probability < 0 for each in captions)
    assert len({each.token_ids for each in captions}) > 1, "what is seen is told"
    assert captioner.caption(RegionBatch()) == []


def test_a_package_that_is_not_there_is_named_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers.SmolVLMConfig().save_pretrained(tmp_path)
    monkeypatch.setattr(vlm, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"type smolvlm .* Run pip install num2words"):
        check_captioner(asked(f"vlm:{tmp_path}"))


def test_the_prompt_is_asked_through_the_chat_template(
    clip: Clip, crops: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "vlm", qwen)
    captioner = load_captioner(asked(f"vlm:{folder}", prompt="the cat on"), clip, CPU)
    assert isinstance(captioner, VlmCaptioner)
    inputs: dict[str, Any] = {}
    generate = captioner.model.generate
    monkeypatch.setattr(
        captioner.model, "generate", lambda **given: (inputs.update(given), generate(**given))[1]
    )
    captioner.caption(RegionBatch(crops=crops[:2]))
    text = captioner.processor.tokenizer.decode(inputs["input_ids"][0])
    assert "the cat on" in text
    assert text.rstrip().endswith("assistant")


@pytest.mark.parametrize(
    ("first_sentence", "expected"), [(True, "A dog."), (False, "A dog. It sits on 2.5 mats!")]
)
def test_the_first_sentence_of_an_answer_is_kept(first_sentence: bool, expected: str) -> None:
    captioner = VlmCaptioner(None, None, "", first_sentence)
    assert captioner.shorten(" A dog. It sits on 2.5 mats! ") == expected
    assert captioner.shorten(" 2.5 mats ") == "2.5 mats"


@pytest.mark.usefixtures("threads")
def test_padding_counts_in_no_log_probability(
    clip: Clip, crops: list[Image.Image], tmp_path: Path
) -> None:
    """BLIP-2's OPT stops at a line break, which its tokenizer does not call an end."""
    first = load_captioner(asked(f"blip:{saved(tmp_path / 'a', blip2)}"), clip, CPU)
    whole = [caption.token_ids for caption in first.caption(RegionBatch(crops=crops))]
    places = {token: [row.index(token) if token in row else -1 for row in whole]
              for row in whole for token in row}  # fmt: skip
    stops = next(token for token, where in places.items() if len(set(where)) > 1)
    captioner = load_captioner(asked(f"blip:{saved(tmp_path / 'b', blip2, stops)}"), clip, CPU)
    captions = captioner.caption(RegionBatch(crops=crops))
    for crop, caption in zip(crops, captions, strict=True):
        (alone,) = captioner.caption(RegionBatch(crops=[crop]))
        assert caption.token_ids == alone.token_ids
        assert caption.log_probability == pytest.approx(alone.log_probability, abs=1e-3)
    assert len({len(caption.token_ids) for caption in captions}) > 1
