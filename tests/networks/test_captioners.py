from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tokenizers import BertWordPieceTokenizer
from transformers import (  # type: ignore[attr-defined]  # an alias in transformers 5
    BertTokenizerFast,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.networks.captioners import RegionBatch, load_captioner
from mapcap.networks.captioners.blip import BlipCaptioner
from mapcap.networks.clip import Clip

CPU = torch.device("cpu")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", ".", *"abcdefghijklmnop"]
START, END = WORDS.index("[DEC]"), WORDS.index("[SEP]")


def asked(captioner: str) -> IndexConfig:
    return IndexConfig(photos="", captioner=captioner)


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP of random weights, as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("blip")
    pieces = BertWordPieceTokenizer({word: i for i, word in enumerate(WORDS)})
    pieces.save(str(folder / "pieces.json"))
    tokenizer = BertTokenizerFast(
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


@pytest.fixture
def blip(blip_folder: Path, clip: Clip) -> BlipCaptioner:
    captioner = load_captioner(asked(f"blip:{blip_folder}"), clip, CPU)
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
    clip: Clip,
    reached: list[Any],
    capfd: pytest.CaptureFixture[str],
) -> None:
    load_captioner(asked(f"blip:{blip_folder}"), clip, CPU)
    assert reached == []
    assert capfd.readouterr() == ("", "")


def test_blip_without_crops_is_a_mistake(blip: BlipCaptioner) -> None:
    assert blip.caption(RegionBatch()) == []
    with pytest.raises(ValueError, match="captions crops"):
        blip.caption(RegionBatch(features=torch.ones(2, 3)))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("clip:x", "--captioner clip:x: there is no such captioner.*clipcap:FILE"),
        ("clipcap:nowhere.pt", r"nowhere\.pt: there is no such file"),
        ("clipcap:hf-hub:someone/thing/w.pt", "could not be fetched.*clipcap:FILE"),
        ("clipcap:hf-hub:w.pt", "could not be fetched"),
        ("blip:someone/thing", "--captioner blip:someone/thing: could not be loaded"),
        ("vlm:someone/thing", "--captioner vlm:someone/thing: could not be loaded"),
        ("phrases:nowhere.txt", r"--captioner phrases: nowhere\.txt cannot be read"),
    ],
)
def test_wrong_captioners_are_explained(spec: str, says: str, clip: Clip) -> None:
    with pytest.raises(UserError, match=says):
        load_captioner(asked(spec), clip, CPU)


def test_a_network_that_blip_cannot_caption_with_is_refused_by_its_configuration(
    lm_folder: Path, clip: Clip
) -> None:
    with pytest.raises(UserError, match=f"network of type gpt2.*Give vlm:{lm_folder}"):
        load_captioner(asked(f"blip:{lm_folder}"), clip, CPU)
    with pytest.raises(UserError, match="no image-text-to-text network of type gpt2"):
        load_captioner(asked(f"vlm:{lm_folder}"), clip, CPU)
