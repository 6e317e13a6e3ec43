from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    PreTrainedTokenizerFast,
)

from mapcap.errors import UserError
from mapcap.networks import embedded
from mapcap.networks.captioners import (
    BlipCaptioner,
    ClipCapCaptioner,
    RegionBatch,
    load_captioner,
)
from mapcap.networks.language_models import LanguageModel

CPU = torch.device("cpu")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", ".", *"abcdefghijklmnop"]
START, END = WORDS.index("[DEC]"), WORDS.index("[SEP]")


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP of random weights, as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("blip")
    pieces = BertWordPieceTokenizer({word: i for i, word in enumerate(WORDS)})
    pieces.save(str(folder / "pieces.json"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "pieces.json"),
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )
    size = {"height": 32, "width": 32}
    processor = BlipProcessor(BlipImageProcessor(size=size), tokenizer)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = BlipConfig(
        text_config={
            **shape,
            "vocab_size": len(WORDS),
            "intermediate_size": 32,
            "encoder_hidden_size": 16,
            "max_position_embeddings": 64,
            "initializer_range": 0.6,
            "bos_token_id": START,
            "sep_token_id": END,
            "eos_token_id": END,
            "pad_token_id": 0,
        },
        vision_config={
            **shape,
            "image_size": 32,
            "patch_size": 8,
            "intermediate_size": 32,
            "initializer_range": 0.6,
        },
    )
    model = BlipForConditionalGeneration(config)
    with torch.no_grad():  # so that some captions end before the others
        for name, weight in model.named_parameters():
            if name.endswith("cls.predictions.decoder.weight"):
                weight[END] *= 2
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def crops() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    shapes = [(20, 40), (32, 32), (50, 30), (9, 70), (64, 64), (33, 12), (40, 40), (25, 80)]
    return [
        Image.fromarray(rng.integers(25 * i, 25 * i + 60, (height, width, 3), dtype=np.uint8))
        for i, (height, width) in enumerate(shapes)
    ]


@pytest.fixture
def blip(blip_folder: Path, lm: LanguageModel) -> BlipCaptioner:
    captioner = load_captioner(f"blip:{blip_folder}", language_model=lm, device=CPU)
    assert isinstance(captioner, BlipCaptioner)
    return captioner


@torch.inference_mode()
def plain_blip(captioner: BlipCaptioner, crop: Image.Image) -> tuple[list[int], float]:
    """One crop, the whole text through the decoder again for every token."""
    model = captioner.model
    pixels = captioner.processor(images=[crop], return_tensors="pt")["pixel_values"]
    seen = model.vision_model(pixel_values=pixels).last_hidden_state
    ids, total = [START], 0.0
    while len(ids) < 41 and ids[-1] != END:
        logits = model.text_decoder(
            input_ids=torch.tensor([ids]), encoder_hidden_states=seen, use_cache=False
        ).logits[0, -1]
        log_p = logits.double().log_softmax(-1)
        ids.append(int(log_p.argmax()))
        total += log_p.max().item()
    return ids[1:], total / (len(ids) - 1)


def test_blip_captions_crops_as_a_plain_loop_does(
    blip: BlipCaptioner, crops: list[Image.Image]
) -> None:
    assert blip.needs == "crops"
    captions = blip.caption(RegionBatch(crops=crops))
    for crop, caption in zip(crops, captions, strict=True):
        ids, log_probability = plain_blip(blip, crop)
        assert list(caption.token_ids) == ids
        assert caption.log_probability == pytest.approx(log_probability, abs=1e-3)
        assert not any(mark in caption.text for mark in ("[SEP]", "[CLS]", "[PAD]"))
    assert len({caption.token_ids for caption in captions}) > 1


def test_blip_loads_without_a_network_and_in_silence(
    blip_folder: Path,
    lm: LanguageModel,
    reached: list[Any],
    capfd: pytest.CaptureFixture[str],
) -> None:
    load_captioner(f"blip:{blip_folder}", language_model=lm, device=CPU)
    assert reached == []
    assert capfd.readouterr() == ("", "")


def test_blip_without_crops_is_a_mistake(blip: BlipCaptioner) -> None:
    assert blip.caption(RegionBatch()) == []
    with pytest.raises(ValueError, match="captions crops"):
        blip.caption(RegionBatch(features=torch.ones(2, 3)))


def clipcap_state(width: int = 32) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    shapes = {
        "0.weight": (8, 6),
        "0.bias": (8,),
        "2.weight": (3 * width, 8),
        "2.bias": (3 * width,),
    }
    return {f"clip_project.model.{name}": torch.randn(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_clipcap_captions_features(suffix: str, lm: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / f"clipcap{suffix}"
    (torch.save if suffix == ".pt" else save_file)(clipcap_state(), path)
    captioner = load_captioner(f"clipcap:{path}", language_model=lm, device=CPU)
    assert isinstance(captioner, ClipCapCaptioner)
    assert captioner.needs == "features"
    features = torch.randn(4, 6)
    captions = captioner.caption(RegionBatch(features))
    assert captions == captioner.clipcap.generate(features)
    assert len(captions) == 4
    with pytest.raises(ValueError, match="captions features"):
        captioner.caption(RegionBatch())


def test_the_embedded_captioner_is_a_clipcap(
    lm: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ROOT", tmp_path)
    with pytest.raises(UserError, match=r"clipcap\.safetensors is missing"):
        load_captioner("mini", language_model=lm, device=CPU)
    save_file(clipcap_state(), tmp_path / "clipcap.safetensors")
    assert load_captioner("mini", language_model=lm, device=CPU).needs == "features"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("clip:x", "--captioner clip:x: there is no such captioner.*clipcap:FILE"),
        ("clipcap:nowhere.pt", r"nowhere\.pt: there is no such file"),
        ("clipcap:hf-hub:someone/thing/w.pt", "could not be fetched.*clipcap:FILE"),
        ("clipcap:hf-hub:w.pt", "could not be fetched"),
        ("blip:someone/thing", "--captioner blip:someone/thing: could not be loaded"),
    ],
)
def test_wrong_captioners_are_explained(spec: str, says: str, lm: LanguageModel) -> None:
    with pytest.raises(UserError, match=says):
        load_captioner(spec, language_model=lm, device=CPU)
