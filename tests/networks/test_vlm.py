"""Vision-language networks as captioners: tiny random ones, as `save_pretrained` writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from mapcap.config import IndexConfig
from mapcap.networks.captioners import RegionBatch, load_captioner
from mapcap.networks.captioners.vlm import VlmCaptioner
from mapcap.networks.clip import Clip

CPU = torch.device("cpu")
NEW = int(tf.__version__.split(".")[0]) >= 5
VOCABULARY = 96
NAMES = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "<|im_start|>", "<|im_end|>"]
NAMES += ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<video>"]
NAMES += ["<|video_pad|>"]
ID = {name: place for place, name in enumerate(NAMES)}
CHAT = (
    "{% for m in messages %}<|im_start|> {{m['role']}} {% for c in m['content'] %}"
    "{% if c['type']=='image' %} IMAGE {% else %} {{c['text']}} {% endif %}{% endfor %}"
    " <|im_end|>{% endfor %}{% if add_generation_prompt %} <|im_start|> assistant {% endif %}"
)
SHAPE = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64
}  # fmt: skip
SIGHT = SHAPE | {"image_size": 32, "patch_size": 8}
SIZE = {"height": 32, "width": 32}
LLM = SHAPE | {
    "vocab_size": VOCABULARY, "num_key_value_heads": 2, "max_position_embeddings": 512,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip


def tokenizer(image: str = "<image>", kind: str = "PreTrained", **more: Any) -> Any:
    """`kind` is what processors of transformers 4 insist on; those of 5 take any."""
    words = "a the dog cat on . describe this in one short sentence user assistant caption en"
    known = dict.fromkeys([*NAMES, *words.split(), *(f"w{n}" for n in range(VOCABULARY))])
    vocabulary = {word: place for place, word in enumerate(list(known)[:VOCABULARY])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    if "extra_special_tokens" not in more:
        more["additional_special_tokens"] = [n for n in NAMES if n not in marks.values()]
    chat = CHAT.replace("IMAGE", image)
    made: Any = getattr(tf, f"{'PreTrained' if NEW else kind}TokenizerFast")
    return made(tokenizer_object=plain, chat_template=chat, **marks, **more)


def llava() -> tuple[Any, Any]:
    config = tf.LlavaOnevisionConfig(
        text_config=LLM | {"model_type": "qwen2"},
        vision_config=SIGHT | {"model_type": "siglip_vision_model"},
        image_token_index=ID["<image>"], video_token_index=ID["<video>"],
        image_grid_pinpoints=[[32, 32]], vision_feature_layer=-1,
    )  # fmt: skip
    processor = tf.LlavaOnevisionProcessor(
        tf.LlavaOnevisionImageProcessor(size=SIZE, image_grid_pinpoints=[[32, 32]]),
        tokenizer(kind="Qwen2"),
        tf.LlavaOnevisionVideoProcessor(size=SIZE),
        num_image_tokens=16, vision_feature_select_strategy="full",
        chat_template=CHAT.replace("IMAGE", "<image>"),
    )  # fmt: skip
    return tf.LlavaOnevisionForConditionalGeneration(config), processor


def qwen() -> tuple[Any, Any]:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    config = tf.Qwen2_5_VLConfig(
        text_config=LLM | {"rope_parameters" if NEW else "rope_scaling": rope},
        vision_config={
            "depth": 2, "hidden_size": 32, "num_heads": 4, "intermediate_size": 64,
            "out_hidden_size": 32, "patch_size": 8, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "window_size": 32, "fullatt_block_indexes": [1],
        },
        image_token_id=ID["<|image_pad|>"], video_token_id=ID["<|video_pad|>"],
        vision_start_token_id=ID["<|vision_start|>"], vision_end_token_id=ID["<|vision_end|>"],
    )  # fmt: skip
    picture = "<|vision_start|> <|image_pad|> <|vision_end|>"
    processor = tf.Qwen2_5_VLProcessor(
        tf.Qwen2VLImageProcessor(patch_size=8, min_pixels=256, max_pixels=4096),
        tokenizer(picture, "Qwen2"),
        tf.Qwen2VLVideoProcessor(patch_size=8),
        chat_template=CHAT.replace("IMAGE", picture),
    )
    return tf.Qwen2_5_VLForConditionalGeneration(config), processor


def paligemma() -> tuple[Any, Any]:
    config = tf.PaliGemmaConfig(
        text_config=LLM | {"model_type": "gemma", "head_dim": 8},
        vision_config=SIGHT | {"model_type": "siglip_vision_model"},
        image_token_index=ID["<image>"], projection_dim=32, vocab_size=VOCABULARY,
    )  # fmt: skip
    pictures = tf.SiglipImageProcessor(size=SIZE)
    pictures.image_seq_length = 16  # type: ignore[attr-defined]
    without_chat = tokenizer(kind="Gemma")
    without_chat.chat_template = None
    processor = tf.PaliGemmaProcessor(pictures, without_chat)
    return tf.PaliGemmaForConditionalGeneration(config), processor


def florence2() -> tuple[Any, Any]:
    config = tf.Florence2Config(
        text_config={
            "model_type": "bart", "vocab_size": VOCABULARY, "d_model": 32, "encoder_layers": 2,
            "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
            "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 128,
            "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "decoder_start_token_id": 2,
        },
        vision_config={
            "embed_dim": [8, 8, 16, 16], "num_heads": [2, 2, 2, 2], "num_groups": [2, 2, 2, 2],
            "depths": [1, 1, 1, 1], "window_size": 4, "projection_dim": 32,
        },
        image_token_id=ID["<image>"],
    )  # fmt: skip
    large = {"height": 128, "width": 128}
    pictures = tf.CLIPImageProcessor(size=large, crop_size=large)
    pictures.image_seq_length = 17  # type: ignore[attr-defined]
    words = tokenizer(kind="Bart", extra_special_tokens={"image_token": "<image>"})
    words.chat_template = None
    return tf.Florence2ForConditionalGeneration(config), tf.Florence2Processor(pictures, words)


def blip2() -> tuple[Any, Any]:
    """A BLIP-2 that stops where its generation configuration says, not at its tokenizer's end."""
    text = {
        "model_type": "opt", "vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2,
        "ffn_dim": 64, "num_attention_heads": 4, "word_embed_proj_dim": 32, "bos_token_id": 1,
        "eos_token_id": 2, "pad_token_id": 0, "max_position_embeddings": 256,
    }  # fmt: skip
    config = tf.Blip2Config(
        vision_config=SIGHT, text_config=text, num_query_tokens=4,
        qformer_config=SHAPE | {"encoder_hidden_size": 32, "vocab_size": VOCABULARY},
        image_token_index=ID["<image>"],
    )  # fmt: skip
    pictures = tf.BlipImageProcessor(size=SIZE)
    processor = tf.Blip2Processor(pictures, tokenizer(), num_query_tokens=4)
    return tf.Blip2ForConditionalGeneration(config), processor


def saved(folder: Path, make: Callable[[], tuple[Any, Any]], stops: int | None = None) -> Path:
    torch.manual_seed(0)
    model, processor = make()
    with torch.no_grad():  # so that what is said varies with what is seen
        for name, weight in model.named_parameters():
            if weight.ndim >= 2:
                weight.mul_(20 if "embed" in name else 5)
    if stops is not None:
        model.generation_config.eos_token_id = [2, stops]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


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


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [llava, qwen, paligemma, florence2])
def test_a_vision_language_network_captions_crops_whatever_the_batch(
    make: Callable[[], tuple[Any, Any]], clip: Clip, crops: list[Image.Image], tmp_path: Path
) -> None:
    folder = saved(tmp_path / "vlm", make)
    captioner = load_captioner(asked(f"vlm:{folder}"), clip, CPU)
    assert captioner.needs == "crops"
    captions = captioner.caption(RegionBatch(crops=crops))
    alone = [captioner.caption(RegionBatch(crops=[crop]))[0] for crop in crops]
    assert [each.token_ids for each in captions] == [each.token_ids for each in alone]
    for together, single in zip(captions, alone, strict=True):
        assert together.log_probability == pytest.approx(single.log_probability, abs=1e-3)
    assert all(each.token_ids and each.log_probability < 0 for each in captions)
    assert captioner.caption(RegionBatch()) == []


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
