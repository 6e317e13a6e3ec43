"""Tiny random vision-language networks with their processors, as `save_pretrained` writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

NEW = int(tf.__version__.split(".")[0]) >= 5
VOCABULARY = 128
NAMES = ["<pad>", "<s>", "</s>", "<unk>", "<image>", "<|im_start|>", "<|im_end|>"]
NAMES += ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<video>"]
NAMES += ["<|video_pad|>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
NAMES += [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
NAMES += ["<start_of_image>", "<end_of_image>", "<image_soft_token>", "<img>", "</img>"]
NAMES += ["<IMG_CONTEXT>"]
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
_TILED: dict[str, Any] = {
    "text_config": LLM | {"model_type": "llama"}, "vision_config": SIGHT, "scale_factor": 2,
    "image_token_id": ID["<image>"], "pad_token_id": 0,
}  # fmt: skip
_TILES: dict[str, Any] = {
    "size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32},
    "do_image_splitting": True,
}  # fmt: skip


def tokenizer(image: str = "<image>", kind: str = "PreTrained", **more: Any) -> Any:
    """`kind` is what processors of transformers 4 insist on; those of 5 take any."""
    words = "a the dog cat on . describe this in one short sentence user assistant caption en"
    known = dict.fromkeys([*NAMES, *words.split(), *(f"w{n}" for n in range(VOCABULARY))])
    vocabulary = {word: place for place, word in enumerate(list(known)[:VOCABULARY])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if kind == "Bert":  # that of transformers 4 looks into it
        plain.normalizer = normalizers.BertNormalizer(lowercase=False)
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


def idefics3() -> tuple[Any, Any]:
    """SmolVLM as first published: large pictures go in whole and in tiles."""
    config = tf.Idefics3Config(**_TILED)
    processor = tf.Idefics3Processor(
        tf.Idefics3ImageProcessor(**_TILES), tokenizer(kind="GPT2"), image_seq_len=4,
        chat_template=CHAT.replace("IMAGE", "<image>"),
    )  # fmt: skip
    return tf.Idefics3ForConditionalGeneration(config), processor


def smolvlm() -> tuple[Any, Any]:
    """SmolVLM 2."""
    config = tf.SmolVLMConfig(**_TILED)
    processor = tf.SmolVLMProcessor(
        tf.SmolVLMImageProcessor(**_TILES), tokenizer(kind="GPT2"),
        tf.SmolVLMVideoProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32}),
        image_seq_len=4, chat_template=CHAT.replace("IMAGE", "<image>"),
    )  # fmt: skip
    return tf.SmolVLMForConditionalGeneration(config), processor


def qwen3() -> tuple[Any, Any]:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    rope["mrope_interleaved"] = True
    config = tf.Qwen3VLConfig(
        text_config=LLM | {"head_dim": 8, "rope_parameters" if NEW else "rope_scaling": rope},
        vision_config={
            "depth": 2, "hidden_size": 32, "num_heads": 4, "intermediate_size": 64,
            "out_hidden_size": 32, "patch_size": 8, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
        image_token_id=ID["<|image_pad|>"], video_token_id=ID["<|video_pad|>"],
        vision_start_token_id=ID["<|vision_start|>"], vision_end_token_id=ID["<|vision_end|>"],
    )  # fmt: skip
    picture = "<|vision_start|> <|image_pad|> <|vision_end|>"
    processor = tf.Qwen3VLProcessor(
        tf.Qwen2VLImageProcessor(patch_size=8, min_pixels=256, max_pixels=4096),
        tokenizer(picture, "Qwen2"),
        tf.Qwen3VLVideoProcessor(patch_size=8),
        chat_template=CHAT.replace("IMAGE", picture),
    )
    return tf.Qwen3VLForConditionalGeneration(config), processor


def internvl() -> tuple[Any, Any]:
    config = tf.InternVLConfig(
        text_config=LLM | {"model_type": "qwen2"},
        vision_config=SHAPE | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=ID["<IMG_CONTEXT>"], image_seq_length=4,
    )  # fmt: skip
    marks = {
        "start_image_token": "<img>", "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>", "video_token": "<video>",
    }  # fmt: skip
    processor = tf.InternVLProcessor(
        tf.GotOcr2ImageProcessor(
            size=SIZE, crop_to_patches=True, min_patches=1, max_patches=4
        ),
        tokenizer(kind="Qwen2", extra_special_tokens=marks),
        tf.InternVLVideoProcessor(size=SIZE),
        image_seq_length=4, chat_template=CHAT.replace("IMAGE", "<IMG_CONTEXT>"),
    )  # fmt: skip
    return tf.InternVLForConditionalGeneration(config), processor


def gemma3() -> tuple[Any, Any]:
    config = tf.Gemma3Config(
        text_config=LLM | {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 16},
        vision_config=SIGHT | {"model_type": "siglip_vision_model"},
        mm_tokens_per_image=4, image_token_index=ID["<image_soft_token>"],
        boi_token_index=ID["<start_of_image>"], eoi_token_index=ID["<end_of_image>"],
    )  # fmt: skip
    marks = {
        "image_token": "<image_soft_token>", "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
    }  # fmt: skip
    processor = tf.Gemma3Processor(
        tf.Gemma3ImageProcessor(size=SIZE),
        tokenizer(kind="Gemma", extra_special_tokens=marks),
        image_seq_length=4, chat_template=CHAT.replace("IMAGE", "<start_of_image>"),
    )  # fmt: skip
    model = tf.Gemma3ForConditionalGeneration(config)
    # It begins with nothing that is seen.
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)
    return model, processor


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


def git() -> tuple[Any, Any]:
    shape: dict[str, Any] = SHAPE
    config = tf.GitConfig(
        **shape, vocab_size=VOCABULARY, vision_config=SIGHT, max_position_embeddings=128,
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    pictures = tf.CLIPImageProcessor(size=SIZE, crop_size=SIZE)
    return tf.GitForCausalLM(config), tf.GitProcessor(pictures, tokenizer(kind="Bert"))


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
                # What Gemmas read is what they say, many times as large.
                said = "gemma" in model.config.model_type and "embed_tokens" in name
                weight.mul_(1 if said else 20 if "embed" in name else 5)
    if stops is not None:
        model.generation_config.eos_token_id = [2, stops]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
